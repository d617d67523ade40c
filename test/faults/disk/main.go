// disk DIRECTORY IMAGE LOG serves a directory with the file `disk`, which is IMAGE, and the file `mark`, until it is killed. Whoever makes a loop
// device of `disk` has a disk with a volatile cache that is written down: LOG gets a record for each write, each flush, and each text that is
// written to `mark`, in the order in which they came. With them the disk can be rebuilt as a power cut at any moment may leave it: all that was
// written before the last flush, and any part of what came after it.
//
// A record is one byte (W, F or M), the offset and the length (8 bytes each, little-endian), and the bytes themselves.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"sync"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

type recorder struct {
	mu    sync.Mutex
	image *os.File
	log   *bufio.Writer
}

// record writes it down; whoever reads the log while it grows sees whole records up to the last flush or mark.
func (r *recorder) record(kind byte, offset int64, data []byte) error {
	var head [17]byte
	head[0] = kind
	binary.LittleEndian.PutUint64(head[1:], uint64(offset))
	binary.LittleEndian.PutUint64(head[9:], uint64(len(data)))
	if _, err := r.log.Write(head[:]); err != nil {
		return err
	}
	if _, err := r.log.Write(data); err != nil {
		return err
	}
	return r.log.Flush()
}

type disk struct {
	fs.Inode
	*recorder
}

func (d *disk) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	info, err := d.image.Stat()
	if err != nil {
		return fs.ToErrno(err)
	}
	out.Size, out.Mode = uint64(info.Size()), 0o600
	return 0
}

func (d *disk) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) { return nil, 0, 0 }

func (d *disk) Read(_ context.Context, _ fs.FileHandle, dest []byte, offset int64) (fuse.ReadResult, syscall.Errno) {
	return fuse.ReadResultFd(d.image.Fd(), offset, len(dest)), 0
}

func (d *disk) Write(_ context.Context, _ fs.FileHandle, data []byte, offset int64) (uint32, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.record('W', offset, data); err != nil {
		return 0, fs.ToErrno(err)
	}
	written, err := d.image.WriteAt(data, offset)
	return uint32(written), fs.ToErrno(err)
}

// Fsync is what the loop device does when it is told to flush.
func (d *disk) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	return fs.ToErrno(d.record('F', 0, nil))
}

type mark struct {
	fs.Inode
	*recorder
}

func (m *mark) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode = 0o666
	return 0
}

func (m *mark) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_DIRECT_IO, 0
}

func (m *mark) Write(_ context.Context, _ fs.FileHandle, data []byte, _ int64) (uint32, syscall.Errno) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return uint32(len(data)), fs.ToErrno(m.record('M', 0, data))
}

type root struct {
	fs.Inode
	*recorder
}

func (r *root) OnAdd(ctx context.Context) {
	for name, file := range map[string]fs.InodeEmbedder{"disk": &disk{recorder: r.recorder}, "mark": &mark{recorder: r.recorder}} {
		r.AddChild(name, r.NewPersistentInode(ctx, file, fs.StableAttr{Mode: syscall.S_IFREG}), true)
	}
}

func serve(directory, image, log string) error {
	disk, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	records, err := os.Create(log)
	if err != nil {
		return err
	}
	recorder := &recorder{image: disk, log: bufio.NewWriterSize(records, 1<<20)}
	options := &fs.Options{MountOptions: fuse.MountOptions{AllowOther: true, DirectMount: true, MaxWrite: 1 << 20}}
	server, err := fs.Mount(directory, &root{recorder: recorder}, options)
	if err != nil {
		return fmt.Errorf("mount %s: %w", directory, err)
	}
	server.Wait()
	return nil
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: disk DIRECTORY IMAGE LOG")
		os.Exit(2)
	}
	if err := serve(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "disk:", err)
		os.Exit(1)
	}
}
