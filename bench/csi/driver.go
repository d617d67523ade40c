package main

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"log"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// A volume's bytes are at <state-dir>/volumes/<id>, a snapshot's at
// <state-dir>/snapshots/<id>, each with its disk's suffix. Everything else is
// in state.json.

type volume struct {
	ID, Name   string
	Filesystem string
	Size       int64
	FromSnap   string              `json:",omitempty"`
	FromVolume string              `json:",omitempty"`
	Node       string              `json:",omitempty"` // attached to
	ReadOnly   bool                `json:",omitempty"` // attached read-only
	Staged     string              `json:",omitempty"` // staging path
	Published  map[string]struct{} `json:",omitempty"` // target paths
}

type snapshot struct {
	ID, Name, Volume string
	Filesystem       string
	Size             int64
	Created          time.Time
	ReadyAfter       time.Duration `json:",omitempty"` // how long it says readyToUse=false
	Uncut            bool          `json:",omitempty"` // said to be cut, and not there yet
}

type driver struct {
	csi.UnimplementedIdentityServer
	csi.UnimplementedControllerServer

	name, node, dir string
	other           string // a second node which reaches the same disks, or ""
	attach          bool
	disks           map[string]disk // by filesystem
	maxSize         int64
	snapDelay       time.Duration

	mu    sync.Mutex      // guards all below and state.json
	busy  map[string]bool // operations under way, by key
	quiet quiet
	state struct {
		Volumes   map[string]*volume
		Snapshots map[string]*snapshot
	}
}

func runDriver(args []string) error {
	fs := flag.NewFlagSet("driver", flag.ExitOnError)
	d := &driver{busy: map[string]bool{}}
	endpoint := fs.String("endpoint", "unix:///var/lib/kubelet/plugins/csi-bench/csi.sock", "the CSI socket")
	fs.StringVar(&d.name, "driver-name", "disk.csi.bench", "the driver's name")
	fs.StringVar(&d.node, "node-id", "", "the node's name (default: host name)")
	second := fs.String("second-node", "", "NAME=SOCKET of another node's plugin: the disks then belong to a zone, and are attached to one of both nodes at a time")
	fs.StringVar(&d.dir, "state-dir", "/var/lib/csi-bench", "where volumes and snapshots are kept")
	fs.BoolVar(&d.attach, "enable-attach", true, "offer ControllerPublishVolume and require it before staging")
	btrfsSize := fs.Int64("btrfs-size", 32<<30, "size of the file that holds all btrfs volumes, in bytes; it is sparse")
	fs.Int64Var(&d.maxSize, "max-volume-size", 1<<40, "largest volume, in bytes")
	fs.DurationVar(&d.snapDelay, "snapshot-ready-after", 0, "how long a cut snapshot says readyToUse=false")
	fs.Parse(args)
	if d.node == "" {
		d.node, _ = os.Hostname()
	}
	d.disks = map[string]disk{"ext4": imageFile{}, "btrfs": &pool{dir: d.dir + "/btrfs", size: *btrfsSize}}
	sock, otherSock := socketPath(*endpoint), ""
	if *second != "" {
		var ok bool
		if d.other, otherSock, ok = strings.Cut(*second, "="); !ok || d.other == "" || d.other == d.node {
			return errors.New("--second-node wants NAME=SOCKET with another name than --node-id")
		}
		otherSock = socketPath(otherSock)
		if err := os.MkdirAll(filepath.Dir(otherSock), 0o750); err != nil {
			return err
		}
	}
	for _, p := range []string{filepath.Dir(sock), d.dir + "/volumes", d.dir + "/snapshots", d.dir + "/faults", d.dir + "/seeds"} {
		if err := os.MkdirAll(p, 0o750); err != nil {
			return err
		}
	}
	if err := d.load(); err != nil {
		return err
	}
	s := grpc.NewServer(grpc.UnaryInterceptor(d.intercept))
	csi.RegisterIdentityServer(s, d)
	csi.RegisterControllerServer(s, d)
	csi.RegisterNodeServer(s, nodePlugin{driver: d, node: d.node})
	log.Printf("driver %s on node %s at %s, state in %s, attach=%v", d.name, d.node, sock, d.dir, d.attach)
	if d.other == "" {
		return serve(sock, s)
	}
	o := grpc.NewServer(grpc.UnaryInterceptor(d.intercept))
	csi.RegisterIdentityServer(o, d)
	csi.RegisterNodeServer(o, nodePlugin{driver: d, node: d.other})
	log.Printf("and on node %s at %s", d.other, otherSock)
	ended := make(chan error, 2)
	go func() { ended <- serve(sock, s) }()
	go func() { ended <- serve(otherSock, o) }()
	return <-ended
}

func (d *driver) stateFile() string         { return d.dir + "/state.json" }
func (d *driver) volPath(id string) string  { return d.dir + "/volumes/" + id }
func (d *driver) snapPath(id string) string { return d.dir + "/snapshots/" + id }

func (d *driver) load() error {
	d.state.Volumes, d.state.Snapshots = map[string]*volume{}, map[string]*snapshot{}
	b, err := os.ReadFile(d.stateFile())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(b, &d.state)
	}
	if err != nil {
		return err
	}
	// After a kill, a volume may still be frozen.
	for _, v := range d.state.Volumes {
		v.forgetLost()
		if v.Staged != "" {
			if err := d.disks[v.Filesystem].thaw(v.Staged); err != nil {
				return err
			}
		}
	}
	return d.save()
}

// forgetLost drops mounts which went with their node, whatever state.json says.
func (v *volume) forgetLost() {
	if v.Staged != "" && !isMount(v.Staged) {
		v.Staged = ""
	}
	for p := range v.Published {
		if !isMount(p) {
			delete(v.Published, p)
		}
	}
}

func (d *driver) save() error {
	b, err := json.MarshalIndent(&d.state, "", " ")
	if err == nil {
		err = os.WriteFile(d.stateFile()+".new", b, 0o600)
	}
	if err == nil {
		err = os.Rename(d.stateFile()+".new", d.stateFile())
	}
	if err != nil {
		return internal(err)
	}
	return nil
}

// begin marks the operation as under way; one with the same key answers
// Aborted until end is called, as the spec asks for.
func (d *driver) begin(keys ...string) (end func(), err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, k := range keys {
		if d.busy[k] {
			return nil, status.Errorf(codes.Aborted, "an operation on %s is under way", k)
		}
	}
	for _, k := range keys {
		d.busy[k] = true
	}
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, k := range keys {
			delete(d.busy, k)
		}
	}, nil
}

// hold is the opening of every call on one volume: it finds the volume and keeps other calls off it until end.
func (d *driver) hold(id string, more ...string) (v *volume, end func(), err error) {
	if id == "" {
		return nil, nil, bad("no volume id")
	}
	if end, err = d.begin(append(more, "vol:"+id)...); err != nil {
		return nil, nil, err
	}
	if v = d.vol(id); v == nil {
		end()
		return nil, nil, status.Errorf(codes.NotFound, "no volume %s", id)
	}
	return v, end, nil
}

func (d *driver) vol(id string) *volume {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := d.state.Volumes[id]
	if v != nil {
		v.forgetLost()
	}
	return v
}

func (d *driver) change(f func()) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
	return d.save()
}

func newID(prefix string) string {
	b := make([]byte, 8)
	rand.Read(b)
	return prefix + "-" + hex.EncodeToString(b)
}

func bad(format string, a ...any) error { return status.Errorf(codes.InvalidArgument, format, a...) }
