// SPDX-License-Identifier: GPL-2.0-only
//! A program to copy from. It shows the ticks of the sample driver, and survives its unplug:
//!
//!     uio_client_rust /dev/uio0
//!
//! A touch of memory that is gone raises SIGBUS, and a handler must not jump over functions of
//! Rust. So the program lets the kernel touch the memory: it writes the memory to a socket. If
//! the memory is gone, this fails with EFAULT.

use std::ffi::c_void;
use std::fs::{File, OpenOptions};
use std::io::{Error, Read, Result, Write};
use std::os::unix::io::AsRawFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

// Of the C library, on 64-bit machines. The crate libc has them for all machines.
extern "C" {
    fn mmap(at: *mut c_void, size: usize, prot: i32, flags: i32, fd: i32, off: i64) -> *mut c_void;
    fn munmap(at: *mut c_void, size: usize) -> i32;
    fn write(fd: i32, from: *const c_void, size: usize) -> isize;
}
const PROT_READ: i32 = 1;
const MAP_SHARED: i32 = 1;
const EIO: i32 = 5;
const EFAULT: i32 = 14;
const ENOSYS: i32 = 38;

/// The memory is a raw pointer: a reference to it would promise that nobody changes it.
struct Device {
    file: File,
    memory: *mut c_void,
    to_us: UnixStream,
    to_socket: UnixStream,
}

/// of the first region; all pages are at least so large
const SIZE: usize = 4096;

impl Device {
    fn open(path: &str) -> Result<Device> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let (to_us, to_socket) = UnixStream::pair()?;
        let nowhere = std::ptr::null_mut();
        // region N is at offset N * page size
        let memory = unsafe { mmap(nowhere, SIZE, PROT_READ, MAP_SHARED, file.as_raw_fd(), 0) };
        if memory as isize == -1 {
            return Err(Error::last_os_error());
        }
        Ok(Device { file, memory, to_us, to_socket })
    }

    /// Some drivers disable the interrupt with each event. ENOSYS: this driver never does.
    fn enable(&mut self) -> Result<()> {
        match self.file.write_all(&1i32.to_ne_bytes()) {
            Err(error) if error.raw_os_error() == Some(ENOSYS) => Ok(()),
            result => result,
        }
    }

    /// Waits for an event, and returns the count. A read of another size fails with EINVAL.
    fn wait(&mut self) -> Result<i32> {
        let mut count = [0; 4];
        self.file.read_exact(&mut count)?;
        Ok(i32::from_ne_bytes(count))
    }

    fn peek(&mut self, offset: usize) -> Result<u32> {
        let mut word = [0; 4];
        assert!(offset + word.len() <= SIZE);
        let from = unsafe { self.memory.add(offset) };
        if unsafe { write(self.to_socket.as_raw_fd(), from, word.len()) } < 0 {
            return Err(Error::last_os_error());
        }
        self.to_us.read_exact(&mut word)?;
        Ok(u32::from_ne_bytes(word))
    }
}

/// The mapping and the file both keep the device.
impl Drop for Device {
    fn drop(&mut self) {
        unsafe { munmap(self.memory, SIZE) };
    }
}

fn follow(path: &str) -> Result<()> {
    let mut device = Device::open(path)?;
    loop {
        device.enable()?;
        let events = device.wait()?;
        println!("{events} events, {} ticks", device.peek(0)?);
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    if args.len() != 2 {
        eprintln!("usage: uio_client_rust /dev/uioN");
        return ExitCode::from(2);
    }
    match follow(&args[1]) {
        Err(error) if !matches!(error.raw_os_error(), Some(EIO | EFAULT)) => {
            eprintln!("uio_client_rust: {}: {error}", args[1]);
            ExitCode::FAILURE
        }
        _ => {
            println!("the device has gone");
            ExitCode::SUCCESS
        }
    }
}
