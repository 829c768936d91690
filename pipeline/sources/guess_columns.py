"""Guess which column is which, by the words that tills and shops use in several languages, and by what stands in it."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from difflib import SequenceMatcher
from itertools import product

# English, German, French, Spanish, Italian, Portuguese, Dutch, Polish; the first of a list is the surest.
WORDS: dict[str, tuple[str, ...]] = {
    ours: tuple(word.strip() for word in words.split(","))
    for ours, words in {
        "sold_at": """
            sold at, invoice date, transaction date, transaction dt, order date, sales date, timestamp,
            datetime, date time, date, day, time, datum, belegdatum, verkaufsdatum, buchungsdatum,
            zeitpunkt, tag, date vente, date heure, jour, fecha, fecha venta, data, data vendita, data
            venda, verkoopdatum, data sprzedazy
        """,
        "customer": """
            customer id, customer, customer no, customer number, client id, client, card, card no, card
            number, loyalty card, member id, shopper, kunde, kundennr, kundennummer, kundenkarte, karte,
            kartennr, numero client, carte, carte fidelite, cliente, id cliente, tarjeta, socio, codice
            cliente, tessera, cartao, klant, klantnummer, klant id, klient, karta
        """,
        "product": """
            product id, product, product code, sku, stock code, item, item id, item no, article, article
            no, ean, gtin, upc, barcode, plu, artikel, artikelnr, artikelnummer, produkt, produktnr,
            produit, code produit, reference, code article, producto, codigo producto, articulo, codigo
            articulo, prodotto, codice prodotto, articolo, produto, artikelcode, produktu, towar, indeks
        """,
        "quantity": """
            quantity, qty, units, pieces, count, menge, anzahl, stueck, stuck, stk, quantite, qte, nombre,
            cantidad, unidades, cant, quantita, qta, pezzi, quantidade, qtd, aantal, hoeveelheid, ilosc
        """,
        "amount": """
            amount, line total, total, sales amount, total price, sales, revenue, net amount, gross
            amount, betrag, umsatz, summe, gesamt, gesamtpreis, gesamtbetrag, warenwert, montant, total
            ttc, montant ttc, prix total, ca, importe, importe total, total linea, importo, totale, valor
            total, bedrag, totaal, kwota, wartosc, suma
        """,
        "unit_price": """
            unit price, price, price per unit, item price, preis, einzelpreis, stueckpreis, vk preis, prix
            unitaire, prix, pu, precio unitario, precio, prezzo unitario, prezzo, preco unitario, preco,
            stukprijs, prijs, cena, cena jednostkowa
        """,
        "store": """
            store id, store, shop, branch, outlet, location, site, filiale, filialnr, filialnummer, markt,
            laden, standort, magasin, boutique, point de vente, succursale, tienda, sucursal, local,
            negozio, punto vendita, filial, loja, winkel, vestiging, filiaal, sklep
        """,
        "basket": """
            basket id, basket, receipt, receipt no, receipt id, invoice no, invoice, invoice number,
            transaction id, transaction, ticket, order id, order no, bon, bonnr, bonnummer, beleg,
            belegnr, belegnummer, rechnungsnr, kassenbon, numero ticket, ticket de caisse, facture, no
            facture, num ticket, factura, recibo, scontrino, ricevuta, fattura, cupom, nota fiscal,
            kassabon, bonnetje, factuur, paragon, faktura
        """,
        "category": """
            category, product group, group, department, product subclass, subclass, family, class,
            segment, kategorie, warengruppe, produktgruppe, abteilung, wg, categorie, famille, rayon,
            categoria, familia, seccion, reparto, famiglia, groep, productgroep, kategoria, grupa
        """,
    }.items()
}
# What catalogues, and many sales files, say of a product.
NAME_WORDS = (
    "description", "product name", "item name", "name", "product description", "bezeichnung", "artikelbezeichnung",
    "artikelname", "libelle", "designation", "nom produit", "descripcion", "nombre producto", "descrizione",
    "descricao", "omschrijving", "productnaam", "nazwa", "opis",
)  # fmt: skip
LANGUAGES = {
    "Europe/Berlin": r"datum|kunde|artikel|menge|betrag|umsatz|filial|beleg|preis|anzahl|warengruppe",
    "Europe/Paris": r"quantite|montant|magasin|produit|carte|prix|jour|facture",
    "Europe/Madrid": r"fecha|cantidad|importe|tienda|producto|tarjeta|precio|articulo",
    "Europe/Rome": r"quantita|importo|negozio|prodotto|scontrino|prezzo|tessera",
    "America/Sao_Paulo": r"quantidade|loja|produto|preco|cartao|cupom",
    "Europe/Amsterdam": r"aantal|klant|winkel|bedrag|bonnummer|prijs",
    "Europe/Warsaw": r"ilosc|klient|sklep|kwota|cena|paragon|towar",
}
_CLOSE = 88
_DAYS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y%m%d", "%d-%m-%Y", "%m-%d-%Y", "%Y.%m.%d",
         "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%d %b %Y", "%d-%b-%Y", "%d %b %y",
         "%d-%b-%y")  # fmt: skip
_CLOCKS = ("", " %H:%M:%S", "T%H:%M:%S", " %H:%M", "T%H:%M", " %H:%M:%S.%f", "T%H:%M:%S.%f", "T%H:%M:%SZ",
           "T%H:%M:%S.%fZ", "T%H:%M:%S%z", " %H:%M:%S%z", "T%H:%M:%S.%f%z", "%H%M%S", "%H%M", " %I:%M:%S %p",
           " %I:%M %p")  # fmt: skip
# Digits run on only behind the one day that has no marks.
TIME_FORMATS = tuple(
    day + clock for day, clock in product(_DAYS, _CLOCKS) if not clock.startswith("%") or day == "%Y%m%d"
)
# Python takes one digit for two where no mark divides them.
_RUN_ON = {"%Y%m%d": 8, "%Y%m%d%H%M": 12, "%Y%m%d%H%M%S": 14}
_NUMBER = re.compile(r"^[-+(]?\d[\d.,'\u2019\u00a0\u202f ]*\)?-?$")


def plain(name: str) -> str:
    """A header's name in small letters without accents, its words apart: `Kunden-Nr.` and `KundenNr` are both known."""
    name = re.sub(r"(?<=[a-zà-ÿ])(?=[A-Z][a-z])", " ", name)
    name = name.replace("ß", "ss").replace("ł", "l").replace("Ł", "L")
    letters = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[^a-z0-9]+", " ", "".join(each for each in letters if not unicodedata.combining(each))).strip()


def columns_by_name(names: Sequence[str]) -> dict[str, str]:
    """Our name -> the header's, best matches first; a header stands for one of ours."""
    scored = [
        (_likeness(plain(theirs), words), ours, theirs)
        for theirs in names
        for ours, words in WORDS.items()
    ]  # fmt: skip
    found: dict[str, str] = {}
    for score, ours, theirs in sorted(scored, key=lambda each: -each[0]):
        if score >= _CLOSE and ours not in found and theirs not in found.values():
            found[ours] = theirs
    return found


def name_column(names: Sequence[str]) -> str | None:
    """The header of the column with the products' names, if there is one."""
    score, theirs = max(((_likeness(plain(each), NAME_WORDS), each) for each in names), default=(0.0, ""))
    return theirs if score >= _CLOSE else None


def time_format_of(values: Sequence[str]) -> str | None:
    """The format that reads every value, or nearly; of several, days before months."""
    return next((each for each in TIME_FORMATS if reads_all(values, each)), None)


def reads_all(values: Sequence[str], time_format: str) -> bool:
    """Whether a format reads nearly all of some values from the whole length of the file."""
    tried = values[:: max(1, len(values) // 500)]
    left = int(0.02 * len(tried))
    for value in tried:
        left -= not _reads(value, time_format)
        if left < 0:
            return False
    return bool(tried)


def number_marks(values: Sequence[str]) -> tuple[str, str]:
    """(decimal, thousands) of columns of numbers."""
    text = [value for value in values if _NUMBER.match(value)]
    thousands = ""
    for mark in (".", " ", "'", ","):
        other = "." if mark == "," else ","
        written = [re.sub("[\u00a0\u202f]", " ", each).replace("\u2019", "'") for each in text]
        grouped = re.compile(rf"^[-+(]?\d{{1,3}}(?:\{mark}\d{{3}})+(?:\{other}\d+)?\)?-?$")
        # One group of three may be three decimals; a decimal mark behind it, or two groups, leaves no doubt.
        sure = re.compile(rf"\{mark}\d{{3}}(?:\{mark}\d{{3}}|\{other}\d)")
        if any(grouped.match(each) and (sure.search(each) or mark in " '") for each in written):
            thousands = mark
            break
    if thousands == ".":
        return ",", thousands
    if thousands == ",":
        return ".", thousands
    has_comma = sum(bool(re.search(r",\d{1,4}\)?-?$", each)) for each in text)
    has_point = sum(bool(re.search(r"\.\d+\)?-?$", each)) for each in text)
    return ("," if has_comma > has_point else "."), thousands


def is_numbers(values: Sequence[str]) -> bool:
    """Whether nearly all values are numbers."""
    return bool(values) and sum(bool(_NUMBER.match(value)) for value in values) >= 0.95 * len(values)


def timezone_of(names: Sequence[str]) -> str:
    """A zone where the headers' language is spoken; UTC for English."""
    text = " ".join(plain(name) for name in names)
    counts = {zone: len(set(re.findall(words, text))) for zone, words in LANGUAGES.items()}
    zone = max(counts, key=lambda each: counts[each])
    return zone if counts[zone] else "UTC"


def _likeness(name: str, words: Sequence[str]) -> float:
    """From 0 to 100; a word further back in its list is worth a little less."""
    joined = name.replace(" ", "")
    best = 0.0
    for place, word in enumerate(words):
        is_it = name == word or joined == word.replace(" ", "")
        score = 100.0 if is_it else 100.0 * SequenceMatcher(None, name, word).ratio()
        if score < 100.0 and word in name.split() and len(word) > 2:
            score = max(score, 90.0)
        best = max(best, score - place / 100)
    return best


def _reads(value: str, time_format: str) -> bool:
    if len(value) != _RUN_ON.get(time_format, len(value)):
        return False
    try:
        # Python reads six digits of a second's fraction, Larder nine.
        datetime.strptime(re.sub(r"(\.\d{6})\d+", r"\1", value), time_format)
    except ValueError:
        return False
    return True
