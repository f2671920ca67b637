// SPDX-License-Identifier: GPL-2.0-only

// A program to copy from. It shows the ticks of the sample driver, and survives its unplug:
//
//	uio_client_go /dev/uio0
//
// A touch of memory that is gone raises SIGBUS. The program asks Go to make this a panic of the
// goroutine, and recovers from it.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"unsafe"
)

type device struct {
	file   *os.File
	memory []byte
}

// With O_NONBLOCK, only the goroutine waits in Read(), not its thread.
func open(path string) (*device, error) {
	fd, err := syscall.Open(path, syscall.O_RDWR|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), path)
	// region N is at offset N * page size
	memory, err := syscall.Mmap(fd, 0, os.Getpagesize(), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		file.Close()
		return nil, err
	}
	return &device{file, memory}, nil
}

// The mapping and the file both keep the device.
func (d *device) close() {
	syscall.Munmap(d.memory)
	d.file.Close()
}

// Some drivers disable the interrupt with each event. ENOSYS: this driver never does.
func (d *device) enable() error {
	on := int32(1)
	_, err := d.file.Write((*[4]byte)(unsafe.Pointer(&on))[:])
	if errors.Is(err, syscall.ENOSYS) {
		return nil
	}
	return err
}

// Waits for an event, and returns the count. A read of another size fails with EINVAL.
func (d *device) wait() (count int32, err error) {
	_, err = d.file.Read((*[4]byte)(unsafe.Pointer(&count))[:])
	return count, err
}

// An access of 32 bits. Only a panic by a fault is an error.
func (d *device) load(offset int) (word uint32, err error) {
	from := (*uint32)(unsafe.Pointer(&d.memory[offset]))
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			err = syscall.EFAULT
		}
	}()
	return atomic.LoadUint32(from), nil
}

func follow(d *device) error {
	for {
		if err := d.enable(); err != nil {
			return err
		}
		events, err := d.wait()
		if err != nil {
			return err
		}
		ticks, err := d.load(0)
		if err != nil {
			return err
		}
		fmt.Printf("%d events, %d ticks\n", events, ticks)
	}
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: uio_client_go /dev/uioN")
		os.Exit(2)
	}
	d, err := open(os.Args[1])
	if err == nil {
		err = follow(d)
		d.close()
	}
	if !errors.Is(err, syscall.EIO) && !errors.Is(err, syscall.EFAULT) {
		fmt.Fprintf(os.Stderr, "uio_client_go: %s: %v\n", os.Args[1], err)
		os.Exit(1)
	}
	fmt.Println("the device has gone")
}
