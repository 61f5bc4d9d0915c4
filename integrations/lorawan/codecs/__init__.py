"""The models that can be read, by the name that a site's configuration uses."""

from __future__ import annotations

from integrations.lorawan.codec import Codec
from integrations.lorawan.codecs import bosch, dingtek, dragino, milesight, moko, nwave, tekzitel

CODECS: dict[str, Codec] = {
    "bosch_tps110": bosch.TPS110,
    "dingtek_do200": dingtek.DO200,
    "dingtek_do201": dingtek.DO201,
    "dingtek_do202": dingtek.DO202,
    "dragino_lds02": dragino.LDS02,
    "milesight_em300_mcs": milesight.EM300_MCS,
    "milesight_ws301": milesight.WS301,
    "moko_lw009_sm": moko.LW009_SM,
    "nwave_nps310": nwave.NPS310,
    "nwave_nps405": nwave.NPS405,
    "tekzitel_tekzipark": tekzitel.TEKZIPARK,
}
