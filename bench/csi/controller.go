package main

import (
	"context"
	"sort"
	"strconv"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func (d *driver) ControllerGetCapabilities(context.Context, *csi.ControllerGetCapabilitiesRequest) (*csi.ControllerGetCapabilitiesResponse, error) {
	types := []csi.ControllerServiceCapability_RPC_Type{
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_VOLUME,
		csi.ControllerServiceCapability_RPC_LIST_VOLUMES,
		csi.ControllerServiceCapability_RPC_GET_CAPACITY,
		csi.ControllerServiceCapability_RPC_CREATE_DELETE_SNAPSHOT,
		csi.ControllerServiceCapability_RPC_LIST_SNAPSHOTS,
		csi.ControllerServiceCapability_RPC_CLONE_VOLUME,
		csi.ControllerServiceCapability_RPC_SINGLE_NODE_MULTI_WRITER,
	}
	if d.attach {
		types = append(types,
			csi.ControllerServiceCapability_RPC_PUBLISH_UNPUBLISH_VOLUME,
			csi.ControllerServiceCapability_RPC_LIST_VOLUMES_PUBLISHED_NODES)
	}
	r := &csi.ControllerGetCapabilitiesResponse{}
	for _, t := range types {
		r.Capabilities = append(r.Capabilities, &csi.ControllerServiceCapability{
			Type: &csi.ControllerServiceCapability_Rpc{Rpc: &csi.ControllerServiceCapability_RPC{Type: t}},
		})
	}
	return r, nil
}

// checkCaps takes what a single-node disk can do: a filesystem, for one node.
func checkCaps(caps ...*csi.VolumeCapability) error {
	if len(caps) == 0 {
		return bad("no volume capability")
	}
	for _, c := range caps {
		if c == nil {
			return bad("no volume capability")
		}
		if c.GetMount() == nil {
			return bad("only filesystem volumes are supported")
		}
		switch c.GetAccessMode().GetMode() {
		case csi.VolumeCapability_AccessMode_SINGLE_NODE_WRITER,
			csi.VolumeCapability_AccessMode_SINGLE_NODE_READER_ONLY,
			csi.VolumeCapability_AccessMode_SINGLE_NODE_SINGLE_WRITER,
			csi.VolumeCapability_AccessMode_SINGLE_NODE_MULTI_WRITER:
		default:
			return bad("access mode %s is not supported", c.GetAccessMode().GetMode())
		}
	}
	return nil
}

func (d *driver) csiVolume(v *volume) *csi.Volume {
	r := &csi.Volume{VolumeId: v.ID, CapacityBytes: v.Size, VolumeContext: map[string]string{"name": v.Name}, AccessibleTopology: d.topology()}
	if v.FromSnap != "" {
		r.ContentSource = &csi.VolumeContentSource{Type: &csi.VolumeContentSource_Snapshot{Snapshot: &csi.VolumeContentSource_SnapshotSource{SnapshotId: v.FromSnap}}}
	} else if v.FromVolume != "" {
		r.ContentSource = &csi.VolumeContentSource{Type: &csi.VolumeContentSource_Volume{Volume: &csi.VolumeContentSource_VolumeSource{VolumeId: v.FromVolume}}}
	}
	return r
}

func (d *driver) CreateVolume(_ context.Context, req *csi.CreateVolumeRequest) (*csi.CreateVolumeResponse, error) {
	if req.GetName() == "" {
		return nil, bad("no name")
	}
	if err := checkCaps(req.GetVolumeCapabilities()...); err != nil {
		return nil, err
	}
	size, limit := req.GetCapacityRange().GetRequiredBytes(), req.GetCapacityRange().GetLimitBytes()
	if size < 0 || limit < 0 || (limit > 0 && size > limit) {
		return nil, bad("bad capacity range")
	}
	filesystem := req.GetParameters()["filesystem"]
	if filesystem == "" {
		filesystem = "ext4"
	}
	if d.disks[filesystem] == nil {
		return nil, bad("no such filesystem: %q", filesystem)
	}
	snapID := req.GetVolumeContentSource().GetSnapshot().GetSnapshotId()
	srcID := req.GetVolumeContentSource().GetVolume().GetVolumeId()
	if req.GetVolumeContentSource() != nil && snapID == "" && srcID == "" {
		return nil, bad("a content source without an id")
	}
	keys := []string{"name:" + req.GetName()}
	if snapID != "" {
		keys = append(keys, "read:"+snapID)
	} else if srcID != "" {
		keys = append(keys, "read:"+srcID)
	}
	end, err := d.begin(keys...)
	if err != nil {
		return nil, err
	}
	defer end()

	var have *volume
	var from int64 = -1
	source := filesystem
	d.mu.Lock()
	for _, v := range d.state.Volumes {
		if v.Name == req.GetName() {
			have = v
		}
	}
	if s := d.state.Snapshots[snapID]; s != nil {
		from, source = s.Size, s.Filesystem
	} else if v := d.state.Volumes[srcID]; v != nil {
		from, source = v.Size, v.Filesystem
	}
	d.mu.Unlock()

	if have != nil {
		if have.Size < size || (limit > 0 && have.Size > limit) || have.FromSnap != snapID || have.FromVolume != srcID {
			return nil, status.Errorf(codes.AlreadyExists, "volume %q exists with another size or source", req.GetName())
		}
		return &csi.CreateVolumeResponse{Volume: d.csiVolume(have)}, nil
	}
	if req.GetVolumeContentSource() != nil && from < 0 {
		return nil, status.Errorf(codes.NotFound, "no such source: %s%s", snapID, srcID)
	}
	if source != filesystem {
		return nil, bad("the source's filesystem is %s, not %s", source, filesystem)
	}
	if size == 0 {
		size = max(from, 1<<30)
		if limit > 0 {
			size = min(size, limit)
		}
	}
	if size > d.maxSize || size < from {
		return nil, status.Errorf(codes.OutOfRange, "size %d: at least %d, at most %d", size, from, d.maxSize)
	}

	v := &volume{ID: newID("vol"), Name: req.GetName(), Filesystem: filesystem, Size: size, FromSnap: snapID, FromVolume: srcID}
	if err := d.fill(v, req.GetParameters()); err != nil {
		d.disks[filesystem].remove(d.volPath(v.ID))
		return nil, err
	}
	if err := d.change(func() { d.state.Volumes[v.ID] = v }); err != nil {
		d.disks[filesystem].remove(d.volPath(v.ID))
		return nil, err
	}
	return &csi.CreateVolumeResponse{Volume: d.csiVolume(v)}, nil
}

// fill makes the volume's bytes: from its source, from a seed, or empty.
func (d *driver) fill(v *volume, parameters map[string]string) error {
	disk, path := d.disks[v.Filesystem], d.volPath(v.ID)
	seed, seeded := d.seed(parameters["csi.storage.k8s.io/pvc/namespace"], parameters["csi.storage.k8s.io/pvc/name"])
	var err error
	switch {
	case v.FromSnap != "":
		err = disk.copy(d.snapPath(v.FromSnap), path, "")
	case v.FromVolume != "":
		err = d.copyVolume(v.FromVolume, path)
	case seeded:
		return disk.seed(seed, path, v.Size)
	default:
		return disk.create(path, v.Size)
	}
	if err != nil {
		return err
	}
	return disk.resize(path, v.Size)
}

// copyVolume copies a volume as it is at one moment, mounted or not.
func (d *driver) copyVolume(id, to string) error {
	defer d.quiet.lock(id)()
	d.mu.Lock()
	v := d.state.Volumes[id]
	var filesystem, mounted string
	if v != nil {
		v.forgetLost() // to freeze a directory which is no mount would freeze the machine's own disk
		filesystem, mounted = v.Filesystem, v.Staged
	}
	d.mu.Unlock()
	if v == nil {
		return status.Errorf(codes.NotFound, "no volume %s", id)
	}
	return d.disks[filesystem].copy(d.volPath(id), to, mounted)
}

func (d *driver) DeleteVolume(_ context.Context, req *csi.DeleteVolumeRequest) (*csi.DeleteVolumeResponse, error) {
	id := req.GetVolumeId()
	v, end, err := d.hold(id, "read:"+id)
	if status.Code(err) == codes.NotFound {
		return &csi.DeleteVolumeResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer end()
	if v.Node != "" || v.Staged != "" || len(v.Published) > 0 {
		return nil, status.Errorf(codes.FailedPrecondition, "volume %s is in use (node %q)", id, v.Node)
	}
	if err := d.disks[v.Filesystem].remove(d.volPath(id)); err != nil {
		return nil, err
	}
	return &csi.DeleteVolumeResponse{}, d.change(func() { delete(d.state.Volumes, id) })
}

func (d *driver) ControllerPublishVolume(_ context.Context, req *csi.ControllerPublishVolumeRequest) (*csi.ControllerPublishVolumeResponse, error) {
	id, node := req.GetVolumeId(), req.GetNodeId()
	if node == "" {
		return nil, bad("no node id")
	}
	if err := checkCaps(req.GetVolumeCapability()); err != nil {
		return nil, err
	}
	v, end, err := d.hold(id)
	if err != nil {
		return nil, err
	}
	defer end()
	switch {
	case node != d.node && (d.other == "" || node != d.other):
		return nil, status.Errorf(codes.NotFound, "no node %s", node)
	case v.Node != "" && v.Node != node:
		return nil, status.Errorf(codes.FailedPrecondition, "volume %s is attached to %s", id, v.Node)
	case v.Node == node && v.ReadOnly != req.GetReadonly():
		return nil, status.Errorf(codes.AlreadyExists, "volume %s is attached with another read-only flag", id)
	}
	err = d.change(func() { v.Node, v.ReadOnly = node, req.GetReadonly() })
	return &csi.ControllerPublishVolumeResponse{PublishContext: map[string]string{"path": d.volPath(id)}}, err
}

func (d *driver) ControllerUnpublishVolume(_ context.Context, req *csi.ControllerUnpublishVolumeRequest) (*csi.ControllerUnpublishVolumeResponse, error) {
	id := req.GetVolumeId()
	v, end, err := d.hold(id)
	if status.Code(err) == codes.NotFound {
		return &csi.ControllerUnpublishVolumeResponse{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer end()
	if v.Node == "" || (req.GetNodeId() != "" && req.GetNodeId() != v.Node) {
		return &csi.ControllerUnpublishVolumeResponse{}, nil
	}
	if v.Staged != "" || len(v.Published) > 0 {
		return nil, status.Errorf(codes.FailedPrecondition, "volume %s is still mounted on %s", id, v.Node)
	}
	return &csi.ControllerUnpublishVolumeResponse{}, d.change(func() { v.Node, v.ReadOnly = "", false })
}

func (d *driver) ValidateVolumeCapabilities(_ context.Context, req *csi.ValidateVolumeCapabilitiesRequest) (*csi.ValidateVolumeCapabilitiesResponse, error) {
	if req.GetVolumeId() == "" || len(req.GetVolumeCapabilities()) == 0 {
		return nil, bad("no volume id or capabilities")
	}
	if d.vol(req.GetVolumeId()) == nil {
		return nil, status.Errorf(codes.NotFound, "no volume %s", req.GetVolumeId())
	}
	if err := checkCaps(req.GetVolumeCapabilities()...); err != nil {
		return &csi.ValidateVolumeCapabilitiesResponse{Message: err.Error()}, nil
	}
	return &csi.ValidateVolumeCapabilitiesResponse{Confirmed: &csi.ValidateVolumeCapabilitiesResponse_Confirmed{
		VolumeContext: req.GetVolumeContext(), VolumeCapabilities: req.GetVolumeCapabilities(), Parameters: req.GetParameters(),
	}}, nil
}

// page cuts [0,n) by the starting token and the most entries asked for.
func page(n int, token string, most int32) (from, to int, next string, err error) {
	if most < 0 {
		return 0, 0, "", bad("max_entries below 0")
	}
	if token != "" {
		if from, err = strconv.Atoi(token); err != nil || from < 0 || from > n {
			return 0, 0, "", status.Errorf(codes.Aborted, "bad starting token %q", token)
		}
	}
	to = n
	if most > 0 && from+int(most) < n {
		to = from + int(most)
		next = strconv.Itoa(to)
	}
	return from, to, next, nil
}

func (d *driver) ListVolumes(_ context.Context, req *csi.ListVolumesRequest) (*csi.ListVolumesResponse, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var all []*volume
	for _, v := range d.state.Volumes {
		all = append(all, v)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].ID < all[j].ID })
	from, to, next, err := page(len(all), req.GetStartingToken(), req.GetMaxEntries())
	if err != nil {
		return nil, err
	}
	r := &csi.ListVolumesResponse{NextToken: next}
	for _, v := range all[from:to] {
		e := &csi.ListVolumesResponse_Entry{Volume: d.csiVolume(v), Status: &csi.ListVolumesResponse_VolumeStatus{}}
		if v.Node != "" {
			e.Status.PublishedNodeIds = []string{v.Node}
		}
		r.Entries = append(r.Entries, e)
	}
	return r, nil
}

func (d *driver) GetCapacity(context.Context, *csi.GetCapacityRequest) (*csi.GetCapacityResponse, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(d.dir, &s); err != nil {
		return nil, internal(err)
	}
	return &csi.GetCapacityResponse{AvailableCapacity: int64(s.Bavail) * s.Bsize}, nil
}
