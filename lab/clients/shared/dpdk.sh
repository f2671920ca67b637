# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Both parts of DPDK use this. testpmd forwards packets between two cards that are bound to
# $driver, and one card is pulled out.
#
# With any UIO driver, DPDK does not map /dev/uioN, but files of the card in sysfs. Such a
# mapping outlives the card, and UIO can do nothing about it. So our program peek maps
# /dev/uioN, and has to lose the mapping.

# shellcheck source=cards.sh
. "${BASH_SOURCE[0]%/*}/cards.sh"
guest=(--mem 768M "${cards_guest[@]}")
huge_pages=/proc/sys/vm/nr_hugepages
needs+=("$huge_pages")
tests=(starts forwards link_gives_interrupts removal_is_survived interrupts_go_on
	quits_after_removal old_mapping_is_gone old_mapping_is_not_the_new_cards
	starts_on_the_new_card forwards_again link_gives_interrupts_again
	unbind_is_survived hot_plug_tells_of_removal hot_plug_lets_go hot_plug_ends modules_unload)
new_mac=52:54:00:22:00:01 new_value=0x22005452

# ---- programs that read commands from a pipe and write to a log

start()
{
	local name=$1

	shift
	rm -f "$name.in"
	mkfifo "$name.in"
	: >"$out/$name.log"
	mark "$name"
	setsid "$@" <>"$name.in" >"$out/$name.log" 2>&1 &
	echo "$!" >"$name.pid"
}

lives()
{
	! is_gone "$(cat "$1.pid")"
}

# has_said() looks only at output after this.
mark()
{
	wc -l <"$out/$1.log" >"$1.mark"
}

tell()
{
	lives "$1" || fail "$1 died: $(tail -n 3 "$out/$1.log")"
	mark "$1"
	echo "$2" >"$1.in"
}

has_said()
{
	tail -n "+$(($(cat "$1.mark") + 1))" "$out/$1.log" | grep -e "$2" >/dev/null
}

# Wait until NAME has printed PATTERN, for up to SECONDS.
says()
{
	await_for "$3" has_said "$1" "$2" ||
		fail "$1 did not print '$2' in $3 s: $(tail -n 3 "$out/$1.log")"
}

ends()
{
	await_for "$2" not lives "$1" || fail "$1 did not end in $2 s"
}

# ---- testpmd

# Start testpmd with ARGs on both cards. Card 1 has this MAC address.
testpmd_start()
{
	local mac=$1 dir=/lab/dpdk/usr/lib/x86_64-linux-gnu/dpdk plugins

	shift
	plugins=("$dir"/pmds-*/librte_{net_e1000,mempool_ring}.so.*.*)
	start testpmd stdbuf -oL dpdk-testpmd -l 0-1 -m 64 --iova-mode=pa --no-telemetry \
		"${plugins[@]/#/-d}" "${addresses[@]/#/-a}" -- -i \
		--total-num-mbufs=2048 --rxd=128 --txd=128 --port-topology=paired "$@"
	says testpmd '^testpmd> ' 60
	says testpmd "Port 0: ${macs[0]}" 0
	says testpmd "Port 1: $mac" 0
}

# Has a port received so many packets that they must circulate? Ask testpmd.
receives()
{
	local packets

	tell testpmd "show port stats $1"
	says testpmd 'Rx-bps:' 30
	packets=$(sed -n 's/.*RX-packets: \([0-9]*\) *RX-missed.*/\1/p' "$out/testpmd.log" |
		tail -n 1)
	echo "port $1: $packets packets"
	[ "${packets:-0}" -gt 1000 ]
}

# testpmd has to hear of each change of a port's link, by an interrupt.
change_links()
{
	local port state event events

	for port in "$@"; do
		event=/sys/class/uio/$(uio_of "$port")/event
		for state in off on; do
			events=$(cat "$event")
			mark testpmd
			lab-monitor "set_link net$port $state"
			says testpmd "Port $port: link state change event" 30
			echo "port $port, link $state: event $events, then $(cat "$event")"
			[ "$(cat "$event")" -gt "$events" ] || fail "no interrupt was counted"
		done
	done
}

# Print what the mapping of /dev/uioN has in the register of the MAC address.
peeked()
{
	tell mapping "$mac_register"
	says mapping . 10
	tail -n 1 "$out/mapping.log"
}

# ---- the tests; each goes on where the last one has ended

test_starts()
{
	local card

	echo 64 >"$huge_pages"
	mkdir -p /dev/hugepages
	mount -t hugetlbfs none /dev/hugepages
	modprobe uio
	"${load_driver[@]}"
	for card in 0 1; do
		plug "$card" "${macs[card]}" "$driver"
	done
	testpmd_start "${macs[1]}"
}

test_forwards()
{
	local port

	tell testpmd 'start tx_first'
	for port in 0 1; do
		await_for 30 receives "$port" || fail "port $port receives nothing"
	done
}

test_link_gives_interrupts()
{
	change_links 0 1 0 1
}

test_removal_is_survived()
{
	unplug 1
	receives 0
	tell testpmd stop
	says testpmd '^Done\.' 30
	lives testpmd
}

# Interrupts of the card that is still there.
test_interrupts_go_on()
{
	change_links 0
}

# testpmd polls registers of the dead card for a while before it ends.
test_quits_after_removal()
{
	tell testpmd quit
	ends testpmd 150
	says testpmd '^Bye' 0
}

# testpmd does not run here: if two files of a card are open when it goes, igb_uio frees the
# interrupt for only one of them, and the kernel complains.
test_old_mapping_is_gone()
{
	plug 1 "${macs[1]}" "$driver"
	start mapping peek "/dev/$(uio_of 1)"
	[ "$(peeked)" = "$mac_value" ] || fail "/dev/uioN has $(peeked)"
	head -n 1 "${cards[1]}/resource" >region
	unplug 1
	echo "it has $(peeked)"
	[ "$(peeked)" = SIGBUS ]
}

test_old_mapping_is_not_the_new_cards()
{
	plug 1 "$new_mac" "$driver"
	[ "$(head -n 1 "${cards[1]}/resource")" = "$(cat region)" ] ||
		fail "the new card is at another address"
	echo "it has $(peeked), the new card has $new_value"
	[ "$(peeked)" != "$new_value" ]
}

test_starts_on_the_new_card()
{
	# an earlier test may have switched the link off
	lab-monitor "set_link net0 on"
	testpmd_start "$new_mac" --hot-plug
}

test_unbind_is_survived()
{
	timeout 30 bash -c "echo ${addresses[0]} >${cards[0]}/driver/unbind" ||
		fail "the card can't be unbound"
	await_for 30 not has_node 0 || fail "the node stays"
	receives 1
	lives testpmd
}

test_hot_plug_tells_of_removal()
{
	unplug 1
	says testpmd "The device: ${addresses[1]} has been removed" 30
	! grep -F "${addresses[1]}/resource" "/proc/$(cat testpmd.pid)/maps" ||
		fail "testpmd has the card mapped"
	lives testpmd
}

# Wait for this before quit: otherwise two threads of testpmd close the same port, and it can
# hang.
test_hot_plug_lets_go()
{
	says testpmd '^Now total ports is 1' 400
}

test_hot_plug_ends()
{
	test_quits_after_removal
}

# Unload the modules, even if the programs still run.
test_modules_unload()
{
	local name

	for name in testpmd mapping; do
		! lives "$name" || kill -KILL "$(cat "$name.pid")"
		ends "$name" 30
	done
	uio_unloads "$driver"
}
