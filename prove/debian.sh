#!/bin/sh
# Prove that irnflow needs nothing of ours: the last commit, in a Debian that has nothing but Python.
#
#   prove/debian.sh            Debian 12 (bookworm); another: prove/debian.sh trixie
#
# Run as root; needs debootstrap. Makes a minimal Debian below /var/tmp, and in it, by itself in name spaces of its own:
#   1. as an ordinary user, without uv, pip or venv: ./run --exit, and again on the data of the first
#   2. as root: what CI runs, ./run check and ./run test
# Says how long each took; ends with the first that fails. KEEP=1 leaves the Debian there and uses it again.
set -eu
cd "$(dirname "$0")/.."

suite=${1:-bookworm}
root=/var/tmp/irnflow-proof-$suite

if [ "${2:-}" = inside ]; then # in our own mount and process name spaces: what is mounted and started here ends here
    mount --make-rprivate /
    mount -t proc proc "$root/proc"
    mount --bind /dev "$root/dev"
    mount -t devpts devpts "$root/dev/pts"
    mount -t tmpfs tmpfs "$root/dev/shm"

    within() { # USER COMMAND: with nothing of our environment
        user=$1
        shift
        chroot "$root" su "$user" -s /bin/sh -c "cd ~/irnflow && NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt $*"
    }
    timed() { # NAME COMMAND...
        name=$1
        shift
        echo "== $name"
        begun=$(date +%s)
        "$@"
        echo "== $name: done after $(($(date +%s) - begun)) s"
    }
    timed "first ./run --exit, as an ordinary user" within someone ./run --exit
    timed "second ./run --exit" within someone ./run --exit
    timed "./run check and ./run test, as root" within root ./.ci/run
    exit
fi

[ "$(id -u)" = 0 ] || { echo "Run it as root: it makes a Debian in a folder." >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "It needs debootstrap: apt-get install debootstrap" >&2; exit 1; }

if [ ! -e "$root/made" ]; then
    rm -rf "$root"
    echo "== making a minimal Debian ($suite) in $root"
    debootstrap --variant=minbase --include=ca-certificates,python3 "$suite" "$root" >"$root.log" 2>&1 ||
        { tail "$root.log" >&2; exit 1; }
    chroot "$root" useradd --create-home someone
    # What every installed machine has: how to reach the network, whom to trust, and apt's lists.
    cp /etc/resolv.conf "$root/etc/"
    cp -r /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
    chroot "$root" update-ca-certificates >/dev/null 2>&1
    chroot "$root" apt-get -qq update
    touch "$root/made"
fi
echo "== $(chroot "$root" cat /etc/debian_version), $(chroot "$root" python3 --version), irnflow $(git rev-parse --short HEAD)"
for home in "$root/home/someone" "$root/root"; do
    rm -rf "$home/irnflow"
    mkdir "$home/irnflow"
    git archive HEAD | tar -x -C "$home/irnflow"
done
chroot "$root" chown -R someone: /home/someone

unshare --mount --pid --fork --kill-child "$0" "$suite" inside
[ -n "${KEEP:-}" ] || rm -rf "$root"
