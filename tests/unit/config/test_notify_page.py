"""The example on the page of the notifiers is checked as a site's hub.yaml, and its devices are opened."""

from __future__ import annotations

import re
from pathlib import Path

import aiohttp
import pytest
from click.testing import CliRunner

from hub.cli import main
from hub.config import integrations
from hub.config.yaml import load, plain
from hub.sdk import Notifier, Tools

PAGE = Path(__file__).parents[3] / "docs" / "integrations" / "notify.md"
SITE = """\
site: {id: test, name: 测试, timezone: Asia/Shanghai}
areas:
  b: {name: 3号楼}
zones:
  lane: {kind: fire_lane, name: 通道, area: b, bind: {camera: generic_camera.lane}}
"""
SECRETS = {
    "wecom_duty": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=x",
    "dingtalk_duty": "https://oapi.dingtalk.com/robot/send?access_token=x",
    "feishu_duty": "https://open.feishu.cn/open-apis/bot/v2/hook/x",
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    example = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    (tmp_path / "rules").mkdir()
    (tmp_path / "hub.yaml").write_text(SITE + example[1], encoding="utf-8")
    return tmp_path / "hub.yaml"


def test_the_example_checks(site: Path) -> None:
    result = CliRunner().invoke(main, ["check", "-c", str(site)])
    assert result.exit_code == 0, result.output


async def test_its_devices_open(site: Path) -> None:
    document = load(site, "hub.yaml")
    names = ("dingtalk_sign", "feishu_sign", "sms_authorization", "mail_password")
    secrets = SECRETS | dict.fromkeys(names, "x")
    opened = []
    async with aiohttp.ClientSession() as http:
        for domain, devices in plain(document)["devices"].items():
            session = integrations.plugin(domain).session
            assert session is not None
            for name, entry in devices.items():
                config = integrations.convert(document, integrations.resolve(entry, secrets), session.config)
                result = await session.connect(name, config, Tools(http=http, site=site.parent, data=site.parent))
                assert isinstance(result, tuple)
                assert isinstance(result[0].driver, Notifier)
                opened.append(result[0].entity.id)
    assert opened == ["wecom.duty", "dingtalk.duty", "feishu.duty", "sms_gateway.manager", "email.manager"]
