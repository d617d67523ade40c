package main

import (
	"bufio"
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// pool is one btrfs file system in a sparse file, mounted through a loop device. A volume or snapshot is a subvolume of
// it with a limit on what it refers to: reflinks work, a snapshot is made at one moment without copying, and what goes
// beyond the limit is refused with EDQUOT. statfs, and so df, knows nothing of such limits: it tells of the whole pool.
type pool struct {
	dir  string // where it is mounted; its file is beside it
	size int64
	mu   sync.Mutex
}

// subvolume is where a volume's bytes are: in the pool, under the last element of its path.
func (p *pool) subvolume(path string) string { return filepath.Join(p.dir, filepath.Base(path)) }

// ready makes the pool at its first use and mounts it again when its mount is gone: after a reboot, or by hand.
func (p *pool) ready() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if isMount(p.dir) {
		return nil
	}
	if err := os.MkdirAll(p.dir, 0o750); err != nil {
		return internal(err)
	}
	file := image(p.dir)
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		if err := format(file, p.size); err != nil {
			return err
		}
	}
	if err := run("mount", "-t", "btrfs", "-o", "loop,noatime", file, p.dir); err != nil {
		return err
	}
	return run("btrfs", "quota", "enable", p.dir)
}

// format makes the pool's file whole or not at all: a kill leaves only one with another name.
func format(file string, size int64) error {
	part := file + ".part"
	os.Remove(part)
	f, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return internal(err)
	}
	if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
		return internal(err)
	}
	if err := run("mkfs.btrfs", "--quiet", "--metadata", "single", part); err != nil {
		return err
	}
	return os.Rename(part, file)
}

func (p *pool) create(path string, size int64) error {
	if err := p.ready(); err != nil {
		return err
	}
	if err := run("btrfs", "subvolume", "create", p.subvolume(path)); err != nil {
		return err
	}
	return p.resize(path, size)
}

func (p *pool) seed(from, path string, size int64) error {
	if err := p.create(path, size); err != nil {
		return err
	}
	source, err := os.MkdirTemp("", "csi-seed-")
	if err != nil {
		return internal(err)
	}
	defer os.Remove(source)
	if err := run("mount", "-t", "ext4", "-o", "loop,ro", image(from), source); err != nil {
		return err
	}
	err = run("cp", "--archive", source+"/.", p.subvolume(path))
	if err := errors.Join(err, unmount(source)); err != nil {
		return err
	}
	// ext4's own, empty.
	if err := os.Remove(filepath.Join(p.subvolume(path), "lost+found")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return internal(err)
	}
	return imageFile{}.remove(from)
}

func (p *pool) copy(from, to, _ string) error {
	if err := p.ready(); err != nil {
		return err
	}
	return run("btrfs", "subvolume", "snapshot", p.subvolume(from), p.subvolume(to))
}

func (p *pool) resize(path string, size int64) error {
	return run("btrfs", "qgroup", "limit", strconv.FormatInt(size, 10), p.subvolume(path))
}

func (p *pool) mount(path, target string, readonly bool) error {
	if err := p.ready(); err != nil {
		return err
	}
	return bind(p.subvolume(path), target, readonly)
}

// thaw has nothing to undo: a snapshot freezes nothing.
func (p *pool) thaw(string) error { return nil }

// used is what the volume refers to, counted against its limit.
func (p *pool) used(path, _ string) (usage, error) {
	out, err := exec.Command("btrfs", "qgroup", "show", "--sync", "--raw", "-f", "-r", p.subvolume(path)).CombinedOutput()
	if err != nil {
		return usage{}, status.Errorf(codes.Internal, "btrfs qgroup show: %v: %s", err, out)
	}
	// Qgroupid Referenced Exclusive Max-referenced Path, under two lines of titles.
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		f := strings.Fields(lines.Text())
		if len(f) < 4 || !strings.HasPrefix(f[0], "0/") {
			continue
		}
		used, err1 := strconv.ParseInt(f[1], 10, 64)
		total, err2 := strconv.ParseInt(f[3], 10, 64)
		var s unix.Statfs_t
		if err := errors.Join(err1, err2, unix.Statfs(p.dir, &s)); err != nil {
			return usage{}, internal(err)
		}
		return usage{total: total, used: used, available: max(0, min(total-used, int64(s.Bavail)*s.Bsize))}, nil
	}
	return usage{}, status.Errorf(codes.Internal, "btrfs qgroup show: no limit in %q", out)
}

func (p *pool) remove(path string) error {
	if err := p.ready(); err != nil {
		return err
	}
	if _, err := os.Stat(p.subvolume(path)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return run("btrfs", "subvolume", "delete", p.subvolume(path))
}
