"""Names of people and firms, by the naming custom of a country; and the countries travellers come from.

Spellings are transliterations as they stand in documents. Who bears which name is drawn elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Custom:
    """A pool of surnames and of given names by sex (M, F)."""

    surnames: pl.Series
    male: pl.Series
    female: pl.Series


def _custom(surnames: str, male: str, female: str) -> Custom:
    return Custom(*(pl.Series(text.split(), dtype=pl.String) for text in (surnames, male, female)))


CUSTOMS = {
    "nordic": _custom(
        "Nordström Bergström Håkansson Lindgren Øster Sørensen Skarvik Dahl Ekström Holm Grønvold Åkerman Lund Vik Söder "
        "Bjørklund Strand Fjeld Moen Brandt Sjöberg Haug Norberg Kjær Nyström Solberg Myhre Hedlund Aasen Falk",
        "Erik Lars Sören Håkon Jonas Mikael Anders Bjørn Olav Nils Göran Per Sven Åge Kristian Henrik Mads Leif Emil Tor",
        "Ingrid Åsa Karin Sølvi Märta Linnea Astrid Freja Elin Sigrid Maja Hanna Ida Kari Nora Ellen Signe Tuva Gerd Liv",
    ),
    "german": _custom(
        "Müller Schäfer Köhler Weiß Krüger Jäger Vogel Bauer Hofmann Schröder König Fuchs Lang Huber Gruber Wagner Steiner "
        "Moser Berger Egger Böhm Pichler Wolf Schwarz Maier Brunner Lehner Haas Auer Winkler",
        "Thomas Jürgen Stefan Günther Michael Andreas Markus Lukas Felix Paul Martin Jörg Uwe Klaus Peter Florian Tobias Max",
        "Anna Julia Käthe Sabine Petra Monika Ursula Lena Sophie Laura Jutta Bärbel Heike Eva Maria Claudia Birgit Nina",
    ),
    "latin": _custom(
        "García Fernández López Martínez Silva Santos Pereira Rossi Ferrari Russo Bianchi Dubois Lefèvre Moreau Núñez Muñoz "
        "Costa Almeida Gómez Ramírez Esposito Conti Laurent Petit Ionescu Popescu Torres Vargas Peña Rojas",
        "José Luís Antonio Marco Giulio Pierre François René Carlos Miguel Andrés João Paulo Luca Matteo Ion Andrei Diego Hugo",
        "María Lucía Ana Carmen Giulia Chiara Hélène Zoé Sofía Inês Beatriz Elena Ioana Camille Valentina Rosa Paola Noemí",
    ),
    "slavic": _custom(
        "Kovalenko Shevchenko Ivanov Petrov Novak Horvat Jovanović Nowak Kowalski Wiśniewski Dvořák Svoboda Marković Bondarenko "
        "Popov Sidorov Petrović Nikolić Babić Melnyk Tkachenko Morozov Volkov Zieliński Kučera Hoxha Krasniqi Shala Dimitrov",
        "Oleksandr Ivan Dmytro Serhii Andriy Marko Nikola Petar Piotr Jan Pavel Tomáš Igor Yurii Stefan Miloš Luka Artem Georgi",
        "Olena Natalia Iryna Oksana Ana Jelena Milica Katarzyna Agnieszka Tereza Jana Tetiana Yulia Marija Ivana Daria Elira",
    ),
    "arabic": _custom(
        "Al-Hassan Haddad Khalil Mansour Nasser Farouk Benali Bouazza Saleh Hamdan Abdallah Rahman Khoury Najjar Hussein Qasim "
        "Ibrahim Yousef Saidi Amrani Trabelsi Gharbi Sabbagh Zidan Darwish Aziz Rashid Masri Jaber Tahir",
        "Mohammed Ahmad Omar Yousef Ali Hassan Khaled Karim Mahmoud Tariq Samir Rachid Hamza Bilal Walid Fadi Nabil Idris Adel",
        "Fatima Aisha Layla Noor Mariam Zahra Hanan Samira Yasmin Rania Salma Huda Amina Nadia Khadija Dina Lina Sara Mona",
    ),
    "turkic": _custom(
        "Yılmaz Kaya Demir Şahin Çelik Yıldız Öztürk Aydın Arslan Doğan Kılıç Aslan Çetin Koç Kurt Özdemir Polat Aliyev Mammadov "
        "Karimov Rahimov Tursunov Nazarov Usmanov Bektaş Güneş Aksoy Erdem Tekin Acar",
        "Mehmet Mustafa Ahmet Emre Murat Hüseyin Kerem Can Burak Serkan Rustam Timur Farid Elchin Aziz Yusuf Orhan Deniz Kemal",
        "Ayşe Fatma Emine Zeynep Elif Merve Gülay Sevgi Leyla Aygün Dilnoza Gulnara Nilufar Selin Esra Hatice Derya Pınar",
    ),
    "asian": _custom(
        "Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Nguyen Tran Le Pham Kim Park Lee Tanaka Sato Suzuki Singh Kumar Sharma "
        "Patel Khan Hossain Rahman Fernando Perera Gupta Santos Reyes Cruz Lim Tan",
        "Wei Jun Ming Hao Minh Duc Anh Ji-ho Min-jun Hiroshi Kenji Rajesh Amit Sanjay Imran Abdul Arjun Kasun Juan Mark Hung",
        "Mei Xiu Fang Ling Linh Thu Hoa Seo-yeon Ji-woo Yuki Sakura Priya Anjali Sunita Ayesha Nasreen Dilani Maria Grace Lan",
    ),
    "african": _custom(
        "Okafor Adeyemi Mensah Owusu Diallo Traoré Ndiaye Diop Abebe Tesfaye Kamau Otieno Mwangi Balogun Eze Boateng Keita Koné "
        "Sow Bah Haile Bekele Wanjiku Moyo Dlamini Nkosi Mbeki Touré Camara Sarr",
        "Chinedu Emeka Kwame Kofi Mamadou Ibrahima Abel Dawit Samuel Daniel Joseph Moussa Ousmane Tunde Sipho Thabo Yaw Amadou",
        "Ngozi Amara Akosua Ama Fatou Aminata Hanna Meron Grace Esther Mercy Mariama Aïssata Folake Thandi Lindiwe Abena Awa",
    ),
}

# alpha-3, naming custom, share of visitors, whether a visa is needed, usual origin of travel by air.
COUNTRIES: tuple[tuple[str, str, float, bool], ...] = (
    ("XSD", "german", 16, False),
    ("XOS", "latin", 7, False),
    ("DEU", "german", 9, False),
    ("AUT", "german", 6, False),
    ("ITA", "latin", 7, False),
    ("FRA", "latin", 5, False),
    ("GBR", "nordic", 5, False),
    ("NLD", "german", 3, False),
    ("POL", "slavic", 4, False),
    ("CZE", "slavic", 2, False),
    ("ROU", "latin", 3, False),
    ("BGR", "slavic", 1.5, False),
    ("HRV", "slavic", 1.5, False),
    ("SRB", "slavic", 2, False),
    ("ALB", "slavic", 1.5, False),
    ("UKR", "slavic", 3.5, False),
    ("TUR", "turkic", 3.5, True),
    ("GRC", "latin", 2, False),
    ("ESP", "latin", 2.5, False),
    ("USA", "nordic", 3, False),
    ("BRA", "latin", 1.2, False),
    ("COL", "latin", 0.8, True),
    ("CHN", "asian", 2.2, True),
    ("IND", "asian", 2, True),
    ("PAK", "asian", 0.9, True),
    ("BGD", "asian", 0.7, True),
    ("VNM", "asian", 0.8, True),
    ("PHL", "asian", 0.8, True),
    ("KOR", "asian", 1, False),
    ("JPN", "asian", 1, False),
    ("RUS", "slavic", 1.2, True),
    ("MAR", "arabic", 1.3, True),
    ("DZA", "arabic", 0.8, True),
    ("TUN", "arabic", 0.9, True),
    ("EGY", "arabic", 1, True),
    ("SYR", "arabic", 0.6, True),
    ("IRQ", "arabic", 0.6, True),
    ("LBN", "arabic", 0.5, True),
    ("AZE", "turkic", 0.5, True),
    ("UZB", "turkic", 0.5, True),
    ("NGA", "african", 0.9, True),
    ("GHA", "african", 0.5, True),
    ("SEN", "african", 0.4, True),
    ("ETH", "african", 0.4, True),
    ("KEN", "african", 0.4, True),
    ("ZAF", "african", 0.4, True),
    ("XNV", "nordic", 0, False),
)
ALPHA3 = tuple(c[0] for c in COUNTRIES)
HOME_NATION = ALPHA3.index("XNV")

FIRM_KINDS = (
    "Handels AB",
    "Import GmbH",
    "& Söhne KG",
    "Trading Ltd",
    "Spedition AG",
    "Großhandel",
    "Négoce SA",
    "Comércio Lda",
    "Import-Export",
    "Logistik",
    "Møbler AS",
    "Technik GmbH",
    "Textil AG",
    "Frères SARL",
    "Électronique SA",
    "Mode AB",
)
VESSEL_WORDS = [
    "Aurora",
    "Borea",
    "Calypso",
    "Delfin",
    "Estrella",
    "Fortuna",
    "Galatea",
    "Hesper",
    "Iris",
    "Juno",
    "Kestrel",
    "Lyra",
    "Meridian",
    "Nereid",
    "Orion",
    "Pelagia",
    "Quetzal",
    "Regulus",
    "Siren",
    "Triton",
    "Umbra",
    "Vega",
    "Westwind",
    "Xanthe",
    "Zephyr",
]
VESSEL_SUFFIXES = [
    "Star",
    "Trader",
    "Express",
    "Spirit",
    "Glory",
    "Wave",
    "Bay",
    "Carrier",
    "Pioneer",
    "Line",
]
