# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the two parts of DPDK have in common: testpmd, which forwards between two cards,
# bound to $driver, of which one is pulled out.
#
# DPDK does not map /dev/uioN but the card's own files in sysfs, with any UIO driver. Such
# a mapping outlives the card, and nobody in UIO has to do with that. So it is a program
# of ours that maps /dev/uioN, and has to lose that.

# shellcheck source=cards.sh
. "${BASH_SOURCE[0]%/*}/cards.sh"
clients=(dpdk)
guest=(--mem 768M "${cards_guest[@]}")
tests=(starts forwards link_gives_interrupts removal_is_survived interrupts_go_on
	quits_after_removal old_mapping_is_gone old_mapping_is_not_the_new_cards
	starts_on_the_new_card forwards_again link_gives_interrupts_again
	unbind_is_survived hot_plug_tells_of_removal hot_plug_lets_go hot_plug_ends modules_unload)
huge_pages=64
macs=(52:54:00:11:00:00 52:54:00:11:00:01)
new_mac=52:54:00:22:00:01
testpmd_log=/lab/out/testpmd.log

lacking()
{
	local file=/proc/sys/vm/nr_hugepages got

	[ -e "/lab/drivers/$driver" ] || lacks "$driver"
	[ -e "$file" ] || { echo "the kernel has no huge pages (CONFIG_HUGETLBFS)"; return; }
	echo "$huge_pages" >"$file"
	got=$(cat "$file")
	[ "$got" -ge "$huge_pages" ] || echo "the guest has $got of $huge_pages huge pages"
}

# ---- testpmd, which takes commands from a pipe

# Start it on both cards; ARGs are its own.
testpmd_start()
{
	local pmds=/lab/dpdk/usr/lib/x86_64-linux-gnu/dpdk e1000 ring

	use_client dpdk
	mountpoint -q /dev/hugepages || {
		mkdir -p /dev/hugepages
		mount -t hugetlbfs none /dev/hugepages
	}
	e1000=("$pmds"/pmds-*/librte_net_e1000.so.*)
	ring=("$pmds"/pmds-*/librte_mempool_ring.so.*)
	rm -f testpmd.in
	mkfifo testpmd.in
	: >"$testpmd_log"
	setsid stdbuf -oL dpdk-testpmd -l 0-1 -m 64 --iova-mode=pa --no-telemetry \
		-d "${e1000[0]}" -d "${ring[0]}" \
		-a "$(address_of 0)" -a "$(address_of 1)" -- -i \
		--total-num-mbufs=2048 --rxd=128 --txd=128 --port-topology=paired "$@" \
		<>testpmd.in >"$testpmd_log" 2>&1 &
	echo "$!" >testpmd.pid
	await_for 60 says 1 '^testpmd> ' ||
		fail "testpmd does not start: $(tail -n 3 "$testpmd_log")"
}

testpmd()
{
	testpmd_lives || fail "testpmd died: $(tail -n 3 "$testpmd_log")"
	echo "$1" >testpmd.in
}

testpmd_lives()
{
	! is_gone "$(cat testpmd.pid)"
}

# Has testpmd said WORDS so many times?
says()
{
	[ "$(said "$2")" -ge "$1" ]
}

said()
{
	grep -c -e "$1" "$testpmd_log" || :
}

# Packets that a port has received, by an answer that comes after this.
received()
{
	local before

	before=$(said 'Rx-bps:')
	testpmd "show port stats $1"
	await_for 30 says $((before + 1)) 'Rx-bps:' || fail "testpmd does not answer"
	sed -n 's/.*RX-packets: \([0-9]*\).*RX-missed.*/\1/p' "$testpmd_log" | tail -n 1
}

# Has a port received that many more?
receives()
{
	local now

	now=$(received "$1")
	echo "port $1: $2, then $now packets"
	[ "${now:-0}" -gt $(($2 + 1000)) ]
}

forward()
{
	local port before

	testpmd 'start tx_first'
	for port in 0 1; do
		before=$(received "$port")
		await_for 30 receives "$port" "$before" || fail "port $port receives nothing"
	done
}

# Each change of a port's link has to come to testpmd, by an interrupt.
change_link()
{
	local port=$1 state before events

	for state in off on; do
		before=$(said "Port $port: link state change event")
		events=$(events_of "$port")
		link "$port" "$state"
		await_for 30 says $((before + 1)) "Port $port: link state change event" ||
			fail "port $port: testpmd is not told that the link is $state"
		echo "port $port, link $state: event $events, then $(events_of "$port")"
		[ "$(events_of "$port")" -gt "$events" ] || fail "no interrupt was counted"
	done
}

# ---- a mapping of /dev/uioN

peek_start()
{
	rm -f peek.in
	mkfifo peek.in
	: >peek.out
	setsid peek "/dev/$(uio_of "$1")" <>peek.in >peek.out 2>&1 &
	echo "$!" >peek.pid
}

# What the mapping has at the MAC address.
peek()
{
	local before

	before=$(wc -l <peek.out)
	echo "$receive_address" >peek.in
	await_for 10 peeked "$before" || fail "peek does not answer: $(cat peek.out)"
	tail -n 1 peek.out
}

peeked()
{
	[ "$(wc -l <peek.out)" -gt "$1" ]
}

# ---- the tests, each of which goes on where the one before has ended

test_starts()
{
	local card

	modprobe uio
	if [ -d "/lab/drivers/$driver" ]; then
		insmod "/lab/drivers/$driver/$driver.ko"
	else
		modprobe "$driver"
	fi
	for card in 0 1; do
		cable_up "$card"
		plug "$card" "${macs[card]}"
		bind "$card" "$driver"
	done
	testpmd_start
	says 1 "Port 0: ${macs[0]}"
	says 1 "Port 1: ${macs[1]}"
}

test_forwards()
{
	forward
}

test_link_gives_interrupts()
{
	local again

	for again in 1 2; do
		change_link 0
		change_link 1
	done
}

# DPDK's own mappings of a card, which are of its files in sysfs.
maps_of_card()
{
	grep -F "$(address_of "$1")/resource" "/proc/$(cat testpmd.pid)/maps"
}

test_removal_is_survived()
{
	unplug 1
	maps_of_card 1 || :
	received 0
	testpmd stop
	await_for 30 says 1 '^Done\.' || fail "forwarding does not stop"
	testpmd_lives
}

# Those of the card that is still there.
test_interrupts_go_on()
{
	change_link 0
}

# It asks the registers of the dead card for a while, at its own pace.
test_quits_after_removal()
{
	testpmd quit
	await_for 150 is_gone "$(cat testpmd.pid)" || fail "testpmd does not end"
	says 1 '^Bye'
}

# Apart from testpmd: if two files of a card are open when it goes, igb_uio stops interrupts
# for one of them only, and the kernel complains.
test_old_mapping_is_gone()
{
	plug 1 "${macs[1]}"
	bind 1 "$driver"
	peek_start 1
	[ "$(peek)" = "$(register_of "${macs[1]}")" ] || fail "/dev/uioN has $(peek)"
	region_of 1 >region
	unplug 1
	echo "it has $(peek)"
	[ "$(peek)" = SIGBUS ]
}

test_old_mapping_is_not_the_new_cards()
{
	plug 1 "$new_mac"
	bind 1 "$driver"
	[ "$(region_of 1)" = "$(cat region)" ] || fail "the new card is at another address"
	echo "it has $(peek), the new card has $(register_of "$new_mac")"
	[ "$(peek)" != "$(register_of "$new_mac")" ]
}

test_starts_on_the_new_card()
{
	# if a test has left it off
	link 0 on
	testpmd_start --hot-plug
	says 1 "Port 0: ${macs[0]}"
	says 1 "Port 1: $new_mac"
}

test_forwards_again()
{
	forward
}

test_link_gives_interrupts_again()
{
	change_link 0
	change_link 1
}

test_unbind_is_survived()
{
	timeout 30 bash -c "echo $(address_of 0) >$(card_dir 0)/driver/unbind" ||
		fail "the card can't be unbound"
	await_for 30 has_no_node 0 || fail "the node stays"
	received 1
	testpmd_lives
}

test_hot_plug_tells_of_removal()
{
	unplug 1
	await_for 30 says 1 "The device: $(address_of 1) has been removed" ||
		fail "testpmd is not told"
	! maps_of_card 1 || fail "testpmd has the card mapped"
	testpmd_lives
}

# Who tells it to quit before that makes two threads close the same port, and may wait
# for ever.
test_hot_plug_lets_go()
{
	await_for 150 says 1 '^Now total ports is 1' || fail "testpmd keeps the port"
}

test_hot_plug_ends()
{
	testpmd quit
	await_for 150 is_gone "$(cat testpmd.pid)" || fail "testpmd does not end"
	says 1 '^Bye'
}

# Whatever became of the programs.
test_modules_unload()
{
	local pid

	! testpmd_lives || kill -KILL "$(cat testpmd.pid)"
	await_for 30 is_gone "$(cat testpmd.pid)" || fail "testpmd can't be killed"
	echo end >peek.in
	await_for 30 is_gone "$(cat peek.pid)" || fail "peek does not end"
	rmmod "$driver"
	modprobe -r uio
	[ ! -d /sys/module/uio ]
}
