#!/bin/sh
# Installs the Debian packages that the demo and the tests need, where it may; otherwise says what is missing.
set -eu
missing=""
need() { missing="$missing $1"; }
PATH="$PATH:/usr/sbin"
command -v mosquitto >/dev/null || need mosquitto
command -v mosquitto_pub >/dev/null || need mosquitto-clients
command -v chromium >/dev/null || need chromium
command -v espeak-ng >/dev/null || need espeak-ng
command -v dbus-daemon >/dev/null || need dbus
command -v aplay >/dev/null || need alsa-utils
command -v gcc >/dev/null || need "gcc libc6-dev"  # the reference node of firmware_bridge
command -v make >/dev/null || need make
[ -e /usr/include/openssl/evp.h ] || need libssl-dev
command -v openssl >/dev/null || need openssl              # a time-stamp authority of the tests
command -v strace >/dev/null || need strace                # faults: a disk that answers with an error
command -v ip >/dev/null || need iproute2                  # faults: a network that loses and delays
ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1 || need libfaketime  # faults: a clock that jumps
fc-list :lang=zh 2>/dev/null | grep -q . || need "fonts-noto-cjk fontconfig"
for python in python3 python3.13 python3.12 python3.11; do  # a system Python without its venv module
    "$python" -c 'import ensurepip, venv' 2>/dev/null && break
done || need python3-venv
[ -n "$missing" ] || exit 0

if command -v apt-get >/dev/null; then
    if [ "$(id -u)" = 0 ]; then
        as=""
    elif sudo -n true 2>/dev/null; then
        as="sudo"
    else
        as="no"
    fi
    if [ "$as" != no ]; then
        echo "installing Debian packages:$missing"
        export DEBIAN_FRONTEND=noninteractive
        # shellcheck disable=SC2086 # the lists are words
        $as apt-get -qq update && $as apt-get -qq -y --no-install-recommends install $missing >/dev/null && exit 0
        echo "apt-get could not install them" >&2
    fi
fi
echo "missing on this machine:$missing" >&2
echo "The demo runs without them, with less (amqtt instead of mosquitto, no picture of a page); tests that need one skip." >&2
exit 0
