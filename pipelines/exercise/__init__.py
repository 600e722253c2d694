"""Exercises: teams of agencies play a simulated border day by day, choose what to examine, and are debriefed.

`plan` says what is played, `clock` lets files arrive, `play` moves a home on, `worklists` and `selections` are what
teams read and write, `figures` compares with the truth, `debrief` gathers what it needs, `report` and `svg` draw it.
"""
