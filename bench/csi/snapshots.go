package main

import (
	"context"
	"log"
	"sort"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func (d *driver) csiSnapshot(s *snapshot) *csi.Snapshot {
	return &csi.Snapshot{
		SnapshotId: s.ID, SourceVolumeId: s.Volume, SizeBytes: s.Size,
		CreationTime: timestamppb.New(s.Created), ReadyToUse: !s.Uncut && time.Since(s.Created) >= s.ReadyAfter,
	}
}

// delays are those of a VolumeSnapshotClass: readyAfter is how long a cut snapshot is not ready to use. A driver with cutAfter breaks the CSI
// specification: it says that the snapshot is cut, and cuts it so much later.
func (d *driver) delays(parameters map[string]string) (readyAfter, cutAfter time.Duration, err error) {
	readyAfter = d.snapDelay
	for name, delay := range map[string]*time.Duration{"readyAfter": &readyAfter, "cutAfter": &cutAfter} {
		if text, ok := parameters[name]; ok {
			if *delay, err = time.ParseDuration(text); err != nil {
				return 0, 0, bad("%s: %v", name, err)
			}
		}
	}
	return readyAfter, cutAfter, nil
}

func (d *driver) CreateSnapshot(_ context.Context, req *csi.CreateSnapshotRequest) (*csi.CreateSnapshotResponse, error) {
	if req.GetName() == "" || req.GetSourceVolumeId() == "" {
		return nil, bad("no name or source volume id")
	}
	src := req.GetSourceVolumeId()
	end, err := d.begin("snap:"+req.GetName(), "read:"+src)
	if err != nil {
		return nil, err
	}
	defer end()
	d.mu.Lock()
	var have *snapshot
	for _, s := range d.state.Snapshots {
		if s.Name == req.GetName() {
			have = s
		}
	}
	d.mu.Unlock()
	if have != nil {
		if have.Volume != src {
			return nil, status.Errorf(codes.AlreadyExists, "snapshot %q exists, of volume %s", req.GetName(), have.Volume)
		}
		return &csi.CreateSnapshotResponse{Snapshot: d.csiSnapshot(have)}, nil
	}
	v := d.vol(src)
	if v == nil {
		return nil, status.Errorf(codes.NotFound, "no volume %s", src)
	}
	// The work goes on if the caller gives up: its next try finds the result.
	readyAfter, cutAfter, err := d.delays(req.GetParameters())
	if err != nil {
		return nil, err
	}
	s := &snapshot{ID: newID("snap"), Name: req.GetName(), Volume: src, Filesystem: v.Filesystem, Size: v.Size, Created: time.Now(), ReadyAfter: readyAfter}
	if cutAfter > 0 {
		s.Uncut = true
		if err := d.change(func() { d.state.Snapshots[s.ID] = s }); err != nil {
			return nil, err
		}
		answer := d.csiSnapshot(s)
		time.AfterFunc(cutAfter, func() { d.cutLate(s) })
		return &csi.CreateSnapshotResponse{Snapshot: answer}, nil
	}
	if err := d.copyVolume(src, d.snapPath(s.ID)); err != nil {
		d.disks[v.Filesystem].remove(d.snapPath(s.ID))
		return nil, err
	}
	if err := d.change(func() { d.state.Snapshots[s.ID] = s }); err != nil {
		return nil, err
	}
	return &csi.CreateSnapshotResponse{Snapshot: d.csiSnapshot(s)}, nil
}

// cutLate leaves a snapshot as it is if its volume can't be copied: it is then never ready.
func (d *driver) cutLate(s *snapshot) {
	if err := d.copyVolume(s.Volume, d.snapPath(s.ID)); err != nil {
		log.Printf("snapshot %s is never cut: %v", s.ID, err)
		return
	}
	if err := d.change(func() { s.Uncut = false }); err != nil {
		log.Printf("snapshot %s: %v", s.ID, err)
	}
}

func (d *driver) DeleteSnapshot(_ context.Context, req *csi.DeleteSnapshotRequest) (*csi.DeleteSnapshotResponse, error) {
	id := req.GetSnapshotId()
	if id == "" {
		return nil, bad("no snapshot id")
	}
	end, err := d.begin("read:" + id)
	if err != nil {
		return nil, err
	}
	defer end()
	d.mu.Lock()
	s, ok := d.state.Snapshots[id]
	d.mu.Unlock()
	if !ok { // also keeps an id that is no id of ours out of a path
		return &csi.DeleteSnapshotResponse{}, nil
	}
	if err := d.disks[s.Filesystem].remove(d.snapPath(id)); err != nil {
		return nil, err
	}
	return &csi.DeleteSnapshotResponse{}, d.change(func() { delete(d.state.Snapshots, id) })
}

func (d *driver) ListSnapshots(_ context.Context, req *csi.ListSnapshotsRequest) (*csi.ListSnapshotsResponse, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []*snapshot
	for _, s := range d.state.Snapshots {
		if (req.GetSnapshotId() == "" || s.ID == req.GetSnapshotId()) && (req.GetSourceVolumeId() == "" || s.Volume == req.GetSourceVolumeId()) {
			all = append(all, s)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].ID < all[j].ID })
	from, to, next, err := page(len(all), req.GetStartingToken(), req.GetMaxEntries())
	if err != nil {
		return nil, err
	}
	r := &csi.ListSnapshotsResponse{NextToken: next}
	for _, s := range all[from:to] {
		r.Entries = append(r.Entries, &csi.ListSnapshotsResponse_Entry{Snapshot: d.csiSnapshot(s)})
	}
	return r, nil
}
