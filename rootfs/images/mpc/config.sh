#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs inside the finished tree, in the appliance, without a network.
set -eu

# ---- one way in: port 3000
systemctl enable systemd-networkd.service nftables.service mpc-gateway.service

# ---- no login for anyone, on any console
systemctl mask getty@.service serial-getty@.service console-getty.service container-getty@.service \
	getty.target getty-static.service autovt@.service debug-shell.service \
	emergency.service emergency.target rescue.service rescue.target ctrl-alt-del.target \
	systemd-storagetm.service storage-target-mode.target
sed -i -E 's#^(([^:]*:){6}).*#\1/usr/sbin/nologin#' /etc/passwd
sed -i -E 's#^([^:]*):[^:]*:#\1:!*:#' /etc/shadow
rm -f /etc/passwd- /etc/shadow- /etc/group- /etc/gshadow-

# ---- nobody there who could become somebody else
find / -xdev -type f -perm /6000 -exec chmod ug-s {} +

# ---- PCRs above the firmware's and the stub's belong to the application: nothing else extends them
systemctl mask systemd-pcrextend.socket systemd-pcrlock.socket systemd-pcrmachine.service \
	systemd-pcrphase.service systemd-pcrphase-sysinit.service systemd-pcrphase-initrd.service \
	systemd-pcrfs-root.service systemd-pcrfs@.service \
	systemd-tpm2-setup.service systemd-tpm2-setup-early.service

# ---- nothing is kept over a reboot, so nothing need be prepared for one
systemctl mask systemd-firstboot.service systemd-machine-id-commit.service \
	systemd-random-seed.service systemd-hwdb-update.service systemd-update-done.service \
	systemd-journal-catalog-update.service ldconfig.service systemd-sysusers.service \
	systemd-networkd-wait-online.service systemd-networkd-persistent-storage.service \
	apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer
systemctl set-default multi-user.target
find /var/log -type f -delete
