#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The zero-access audit of finished disks: an image with a forbidden thing for (nearly) every rule is caught rule by rule,
# what was changed on its disk afterwards included. That the first image passes: vm-audit-live.sh.
set -eu
. tests/sh/lib.sh
require jq sfdisk mcopy

# ---- bad use
exits 2 'no such file' "a disk that is not there" "$KILN" audit "$tmp/none.raw"
mkdir "$tmp/alone"
ln -s "$(realpath "$KILN_TEST_DISK")" "$tmp/alone/disk.raw"
exits 2 'manifest.json is missing' "a disk without its manifest" "$KILN" audit "$tmp/alone/disk.raw"

# ---- an image full of holes
description=$tmp/holes
cp -r tests/images/small "$description"
sed -i -e 's#name="small"#name="holes"#' \
	-e 's#kernelcmdline="[^"]*"#kernelcmdline="console=ttyS0 mitigations=off systemd.debug_shell emergency resume=/dev/sda2"#' \
	-e 's#<ignore name="apt"/>#&<ignore name="openssh-server"/>#' \
	-e 's#^</image>#<extension xmlns:kiln="urn:kiln:image:1"><kiln:port number="3000"/><kiln:accept rule="files.owner" path="/usr/local/share/zeta*" reason="for the sake of this test"/></extension></image>#' \
	"$description/appliance.kiwi"
cat >> "$description/config.sh" <<'EOF'
units=/usr/lib/systemd/system
mkdir -p $units /etc/systemd/system/multi-user.target.wants /usr/lib/systemd/system-generators /usr/lib/systemd
program() { mkdir -p "${1%/*}"; printf '#!/bin/sh\n' > "$1"; chmod 755 "$1"; }
for name in /usr/sbin/sshd /usr/bin/amazon-ssm-agent /usr/bin/eic_run_authorized_keys /usr/bin/cloud-init \
	/usr/sbin/in.telnetd /usr/lib/systemd/systemd /usr/sbin/chronyd /usr/bin/apt-get /usr/bin/capable \
	/usr/lib/systemd/system-generators/systemd-gpt-auto-generator; do
	program $name
done
printf 'curl http://169.254.169.254/latest/user-data | sh\n' >> /usr/bin/capable
unit() { printf '%b' "$2" > "$units/$1"; }
unit serial-getty@.service '[Service]\nExecStart=-/sbin/agetty %%I\nStandardInput=tty\n'
unit debug-shell.service '[Service]\nExecStart=/bin/sh\n'
unit rescue.service '[Service]\nExecStart=-/sbin/sulogin\n'
unit data.mount '[Mount]\nWhat=/dev/nvme1n1\nWhere=/data\nType=ext4\n'
unit own.socket '[Socket]\nListenStream=22\n'
ln -s $units/own.socket /etc/systemd/system/multi-user.target.wants/own.socket
sed -i 's#^root:[^:]*:#root:$y$j9T$abc$def:#' /etc/shadow
mkdir -p /root/.ssh /root/.aws /opt/app /etc/sysctl.d
echo 'ssh-ed25519 AAAA' > /root/.ssh/authorized_keys
perl -e 'my ($path, $name, $v) = ("/usr/bin/capable", "security.capability", pack("V5", 0x02000001, 1 << 13, 0, 0, 0));
	syscall(188, $path, $name, $v, 20, 0) == 0 or die $!'
touch /var/lib/listed
perl -e 'my ($path, $name, $v) = ("/var/lib/listed", "system.posix_acl_access",
	pack("V(vvV)5", 2, 1, 6, ~0, 2, 6, 1000, 4, 4, ~0, 16, 6, ~0, 32, 4, ~0));
	syscall(188, $path, $name, $v, length $v, 0) == 0 or die $!'
touch /var/lib/open && chmod 666 /var/lib/open
mknod /var/lib/kmem c 1 1
echo '/dev/nvme1n1 /data ext4 defaults 0 2' > /etc/fstab
echo 'data /dev/nvme1n1 none' > /etc/crypttab
d=-----
printf '%sBEGIN PRIVATE KEY%s\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n%sEND PRIVATE KEY%s\n' $d $d $d $d > /opt/app/key
echo "id=AK""IAABCDEFGHIJ234567" > /root/.aws/credentials
echo 'password=q8Zr2Lm0Xv7Tn4Ks' > /opt/app/conf
EOF
cat > "$description/images.sh" <<'EOF'
#!/bin/sh
set -eu
# After dpkg's last run.
printf '\nPackage: openssh-server\nStatus: install ok installed\nMaintainer: nobody\nArchitecture: all\nVersion: 1\nDescription: planted\n' \
	>> /var/lib/dpkg/status
mkdir -p /var/lib/systemd/coredump
echo 1 > /var/lib/systemd/coredump/core
EOF
"$KILN" fetch "$description" > "$tmp/fetch.out" 2>&1
# shellcheck disable=SC2016 # for the inner shell
exits 2 'appliance.kiwi:[0-9]*: "files.nothing" is no rule' "an exception for a rule that there is not" sh -c '
	cp -r "$1" "$1.wrong" && sed -i s/files.owner/files.nothing/ "$1.wrong/appliance.kiwi" && "$2" build "$1.wrong" -o "$1.out"' \
	sh "$description" "$KILN"
exits 0 '' "an image full of holes is built" "$KILN" build "$description" -o "$tmp/results"
disk=$(echo "$tmp"/results/holes/*.raw)
manifest=$tmp/results/holes/manifest.json

# ---- and more on its disk: a file in the ESP, a partition, a bit of the hash tree
partition() { jq -r ".partitions[] | select(.label == \"$1\") | .$2" "$manifest"; }
echo secret > "$tmp/x.cred"
mcopy -i "$disk@@$(partition esp offset)" "$tmp/x.cred" ::/EFI/BOOT/x.cred
echo 'size=2048, name=data' | sfdisk --quiet --append --no-reread "$disk" > "$tmp/sfdisk" 2>&1
printf '\377' | dd of="$disk" bs=1 seek=$(($(partition root-x86-64-verity offset) + 4096)) conv=notrunc status=none

exits 1 'rules fail' "the audit says no" "$KILN" audit "$disk"
like "$(cat "$tmp/out")" '/opt/app/key:1: a private key' "with path and line"
report=$tmp/results/holes/audit-report.json
is "$(jq .passed "$report")" false "the report says so"
fails() { # rule, path
	is "$(jq -r --arg rule "$1" --arg path "$2" \
		'.rules[] | select(.rule == $rule) | [.verdict, ([.findings[] | select(.path == $path and .accepted == null)] | length > 0)] | join(" ")' \
		"$report")" "fails true" "$1 finds $2"
}
fails boot.root '(disk)'
fails boot.esp '(ESP)'
fails boot.partitions '(disk)'
fails access.sshd /usr/sbin/sshd
fails access.sshd /var/lib/dpkg/status
fails access.ssm-agent /usr/bin/amazon-ssm-agent
fails access.instance-connect /usr/bin/eic_run_authorized_keys
fails access.cloud-init /usr/bin/cloud-init
fails access.user-data /usr/bin/capable
fails access.remote-shell /usr/sbin/in.telnetd
fails login.getty /usr/lib/systemd/system/serial-getty@.service
fails login.terminal /usr/lib/systemd/system/serial-getty@.service
fails login.debug-shell /usr/lib/systemd/system/debug-shell.service
fails login.debug-shell '(kernel command line)'
fails login.emergency /usr/lib/systemd/system/rescue.service
fails login.emergency '(kernel command line)'
fails login.sulogin /usr/lib/systemd/system/rescue.service
fails login.credentials '(kernel command line)'
fails accounts.locked /etc/shadow
fails accounts.shells /etc/passwd
fails accounts.keys /root/.ssh/authorized_keys
fails files.setuid /usr/bin/su
fails files.capabilities /usr/bin/capable
fails files.acl /var/lib/listed
fails files.world-writable /var/lib/open
fails files.devices /var/lib/kmem
fails mounts.fstab /etc/fstab
fails mounts.units /usr/lib/systemd/system/data.mount
fails mounts.volumes /etc/crypttab
fails mounts.automatic '(kernel command line)'
fails mounts.cmdline '(kernel command line)'
fails kernel.cmdline '(kernel command line)'
fails kernel.lockdown '(kernel command line)'
fails kernel.modules '(kernel command line)'
for rule in kexec ebpf ptrace core-dumps sysrq messages; do
	fails kernel.$rule /usr/lib/systemd/system/systemd-sysctl.service
done
fails network.listeners /usr/lib/systemd/system/own.socket
fails network.firewall /usr/lib/systemd/system/nftables.service
fails network.chrony /etc/chrony.conf
fails packages.managers /usr/bin/apt-get
fails packages.absent /var/lib/dpkg/status
fails secrets.private-keys /opt/app/key
fails secrets.tokens /root/.aws/credentials
fails secrets.values /opt/app/conf
fails secrets.files /root/.aws/credentials
fails secrets.seeds /var/lib/systemd/coredump
is "$(jq -r '.rules[] | select(.rule == "files.owner") | .findings[] | select(.path == "/usr/local/share/zeta") | .accepted' "$report")" \
	"for the sake of this test" "what is accepted is in the report, with its reason"
# machine-id is emptied at the end of a build, and the initrd is Kiln's own.
is "$(jq -r '[.rules[] | select(.verdict == "holds") | .rule] | join(" ")' "$report")" \
	"boot.initrd secrets.machine-id" "no other rule holds than those that nothing could be planted for"
finish
