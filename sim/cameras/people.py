"""Addressees that nobody is: names and streets put together by chance, in Latin and Chinese."""

from __future__ import annotations

from dataclasses import dataclass

from sim.cameras.dice import dice

SENDER = "FROM: LIGHTSOUT FULFILMENT CENTRE 01, DOCK ROAD 1"
FIRST = ("Ada", "Ben", "Chen", "Dana", "Emil", "Fang", "Gita", "Hugo", "Ines", "Jun", "Kira", "Lin")
LAST = (
    "Abel",
    "Brandt",
    "Costa",
    "Duval",
    "Eriksen",
    "Fischer",
    "Garcia",
    "Huang",
    "Ito",
    "Jansen",
)
STREETS = ("Station Road", "Mill Lane", "Harbour St", "Lindenweg", "Rue du Parc", "Long Street")
TOWNS = ("NORTHFIELD", "OSTHAFEN", "PORTOVAL", "RIVERTON", "SUNDBY", "TANGSHUI")
SURNAMES = "王李张刘陈杨赵黄周吴"
GIVEN = ("小明", "丽华", "建国", "秀英", "伟", "敏", "静怡", "志强")
CITIES = ("北京市朝阳区", "上海市浦东新区", "广州市天河区", "成都市武侯区", "杭州市西湖区")
ROADS = ("建设路", "人民大道", "中山路", "解放街", "新华路", "光明巷")


@dataclass(frozen=True, slots=True)
class Person:
    """Whom a parcel goes to."""

    latin: tuple[str, ...]
    chinese: tuple[str, ...]
    route: str


def person(identity: str) -> Person:
    """The addressee of this parcel, always the same."""
    chance = dice("person", identity)

    def one(words: tuple[str, ...] | str) -> str:
        return words[int(chance.integers(len(words)))]

    number = int(chance.integers(1, 300))
    latin = (
        f"{one(FIRST)} {one(LAST)}",
        f"{one(STREETS)} {number}",
        f"{int(chance.integers(10000, 99999))} {one(TOWNS)}",
    )
    chinese = (
        f"收件人 {one(SURNAMES)}{one(GIVEN)}",
        f"{one(CITIES)}{one(ROADS)}{number}号",
    )
    return Person(latin, chinese, f"{one('ABCDEFGH')}{int(chance.integers(1, 30)):02d}")
