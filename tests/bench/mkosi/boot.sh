#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# boot.sh DISK DIRECTORY ACCELERATOR: starts the machine of `kiln test` (vm-test/qemu.c) and ends when its service has
# answered on port 3000. Both images boot in exactly this one. DIRECTORY holds what was made ready before, so that
# only the machine's own time is taken: the firmware, its variables and the state of a TPM, all used up by one
# start; the console is left there.
set -eu

disk=$1 directory=$2 accelerator=$3
port=$((20000 + $$ % 20000))

swtpm socket --tpm2 --tpmstate "dir=$directory/tpm" --ctrl "type=unixio,path=$directory/socket" --terminate --daemon
qemu-system-x86_64 -name kiln-boot-test -machine q35,smm=on -global driver=cfi.pflash01,property=secure,value=on \
	-drive "if=pflash,unit=0,format=raw,readonly=on,file=$directory/OVMF_CODE_4M.secboot.fd" \
	-drive "if=pflash,unit=1,format=raw,file=$directory/OVMF_VARS_4M.fd" \
	-accel "$accelerator" -cpu max -m 1024 -smp 2 -display none -nodefaults -no-user-config -no-reboot \
	-drive "if=none,id=disk,format=raw,snapshot=on,file=$disk" -device nvme,drive=disk,serial=kiln,bootindex=1 \
	-netdev "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:$port-:3000" \
	-device virtio-net-pci,netdev=net,romfile= \
	-chardev "socket,id=tpm,path=$directory/socket" -tpmdev emulator,id=tpm,chardev=tpm -device tpm-crb,tpmdev=tpm \
	-serial "file:$directory/console" &
machine=$!
trap 'kill $machine 2> /dev/null || :; wait $machine 2> /dev/null || :' EXIT
trap 'exit 1' HUP INT TERM

deadline=$(($(date +%s) + 600))
until curl -s -o /dev/null --max-time 2 "http://127.0.0.1:$port/"; do
	if ! kill -0 "$machine" 2> /dev/null || [ "$(date +%s)" -gt "$deadline" ]; then
		echo "$disk: the machine's service did not answer" >&2
		exit 1
	fi
	sleep 0.1
done
