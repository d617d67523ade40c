package main

import (
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

// A disk keeps the bytes of volumes and snapshots. The StorageClass's parameter "filesystem" chooses one, and a volume,
// its snapshots and what is restored from them stay with it. Paths are without suffix: each kind adds its own.
type disk interface {
	// create makes an empty volume of that size.
	create(path string, size int64) error
	// seed makes a volume of that size with the files of an ext4 image, which is used up.
	seed(from, path string, size int64) error
	// copy makes a volume or snapshot from another; mounted is where the source is mounted, or "". The copy is as of
	// one moment: what a crash at that moment would have left.
	copy(from, to, mounted string) error
	// resize makes the (unmounted) volume that large.
	resize(path string, size int64) error
	mount(path, target string, readonly bool) error
	// thaw undoes what an interrupted copy may have left on a mounted volume.
	thaw(mounted string) error
	// used tells how full a mounted volume is.
	used(path, mounted string) (usage, error)
	// remove takes a volume or snapshot away, or what was made of it so far; none there is no error.
	remove(path string) error
}

// usage is in bytes, and in inodes where the disk has a fixed number of them.
type usage struct{ total, used, available, inodes, freeInodes int64 }

// imageFile is an ext4 filesystem in a sparse file, mounted through a loop device: hard links work, reflinks do not,
// and it is full when its size is used up.
type imageFile struct{}

func image(path string) string { return path + ".img" }

func (imageFile) create(path string, size int64) error {
	f, err := os.OpenFile(image(path), os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return internal(err)
	}
	err = errors.Join(f.Truncate(size), f.Close())
	if err != nil {
		return internal(err)
	}
	// As Kubernetes formats a disk: nothing reserved for root.
	return run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1", image(path))
}

func (f imageFile) seed(from, path string, size int64) error {
	if err := os.Rename(image(from), image(path)); err != nil {
		return internal(err)
	}
	return f.resize(path, size)
}

func (imageFile) copy(from, to, mounted string) error {
	if mounted != "" {
		if err := run("fsfreeze", "--freeze", mounted); err != nil {
			return err
		}
		defer run("fsfreeze", "--unfreeze", mounted)
	}
	return run("cp", "--sparse=always", "--reflink=auto", image(from), image(to))
}

func (imageFile) resize(path string, size int64) error {
	info, err := os.Stat(image(path))
	if err != nil {
		return internal(err)
	}
	if info.Size() == size {
		return nil
	}
	if info.Size() < size {
		if err := os.Truncate(image(path), size); err != nil {
			return internal(err)
		}
	}
	// 1 says that errors were corrected: a copy of a mounted filesystem has its journal still to replay.
	err = exec.Command("e2fsck", "-f", "-y", image(path)).Run()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() > 1) {
		return status.Errorf(codes.Internal, "e2fsck: %v", err)
	}
	if err := run("resize2fs", image(path), strconv.FormatInt(size/1024, 10)+"K"); err != nil {
		return err
	}
	if err := os.Truncate(image(path), size); err != nil {
		return internal(err)
	}
	return nil
}

func (imageFile) mount(path, target string, readonly bool) error {
	if isMount(target) {
		return nil
	}
	if err := os.MkdirAll(target, 0o750); err != nil {
		return internal(err)
	}
	// The loop device ends with its mount. discard gives freed blocks back to the machine's disk, so copies stay small.
	options := "loop,discard,noinit_itable"
	if readonly {
		options += ",ro"
	}
	return run("mount", "-t", "ext4", "-o", options, image(path), target)
}

func (imageFile) thaw(mounted string) error {
	out, err := exec.Command("fsfreeze", "--unfreeze", mounted).CombinedOutput()
	if err != nil && !strings.Contains(string(out), "Invalid argument") { // it was not frozen
		return status.Errorf(codes.Internal, "fsfreeze: %v: %s", err, out)
	}
	return nil
}

func (imageFile) used(_, mounted string) (usage, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(mounted, &s); err != nil {
		return usage{}, status.Error(codes.NotFound, err.Error())
	}
	return usage{
		total: int64(s.Blocks) * s.Bsize, used: int64(s.Blocks-s.Bfree) * s.Bsize, available: int64(s.Bavail) * s.Bsize,
		inodes: int64(s.Files), freeInodes: int64(s.Ffree),
	}, nil
}

func (imageFile) remove(path string) error {
	if err := os.Remove(image(path)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return internal(err)
	}
	return nil
}

// quiet keeps a volume from being unmounted while it is copied, and two copies from thawing each other's freeze.
type quiet struct {
	mu sync.Mutex
	by map[string]*sync.Mutex
}

func (q *quiet) lock(id string) (unlock func()) {
	q.mu.Lock()
	if q.by == nil {
		q.by = map[string]*sync.Mutex{}
	}
	m := q.by[id]
	if m == nil {
		m = &sync.Mutex{}
		q.by[id] = m
	}
	q.mu.Unlock()
	m.Lock()
	return m.Unlock
}

// seed takes the image which `bench/reset` left for the next volume of a claim, once: a server's data then is there
// without being loaded, and the claim looks like any other.
func (d *driver) seed(namespace, claim string) (path string, ok bool) {
	if namespace == "" || claim == "" || strings.ContainsAny(namespace+claim, "/") {
		return "", false
	}
	path = filepath.Join(d.dir, "seeds", namespace, claim)
	_, err := os.Stat(image(path))
	return path, err == nil
}

func run(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return status.Errorf(codes.Internal, "%s: %v: %s", name, err, strings.TrimSpace(string(out)))
	}
	return nil
}

func internal(err error) error { return status.Error(codes.Internal, err.Error()) }

// isMount says whether something is mounted at path itself.
func isMount(path string) bool {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return false
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	esc := strings.NewReplacer(" ", `\040`, "\t", `\011`, "\n", `\012`, `\`, `\134`).Replace(path)
	for _, l := range strings.Split(string(b), "\n") {
		if f := strings.Fields(l); len(f) > 4 && f[4] == esc {
			return true
		}
	}
	return false
}

func bind(from, to string, readonly bool) error {
	if isMount(to) {
		return nil
	}
	if err := os.MkdirAll(to, 0o750); err != nil {
		return internal(err)
	}
	err := unix.Mount(from, to, "", unix.MS_BIND, "")
	if err == nil && readonly {
		if err = unix.Mount("", to, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
			unix.Unmount(to, 0)
		}
	}
	if err != nil {
		return status.Errorf(codes.Internal, "mount %s at %s: %v", from, to, err)
	}
	return nil
}

func unmount(path string) error {
	for isMount(path) {
		if err := unix.Unmount(path, 0); err != nil {
			return status.Errorf(codes.Internal, "unmount %s: %v", path, err)
		}
	}
	return nil
}
