package main

import (
	"context"
	"errors"
	"os"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// nodePlugin is what the driver is on one node.
type nodePlugin struct {
	csi.UnimplementedNodeServer
	*driver
	node string
}

func (d nodePlugin) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{NodeId: d.node, AccessibleTopology: d.topology()[0]}, nil
}

// topology is where volumes can be used: on the one node, or in the zone of both.
func (d *driver) topology() []*csi.Topology {
	if d.other != "" {
		return []*csi.Topology{{Segments: map[string]string{"topology." + d.name + "/zone": "bench"}}}
	}
	return []*csi.Topology{{Segments: map[string]string{"topology." + d.name + "/node": d.node}}}
}

func (d nodePlugin) NodeGetCapabilities(context.Context, *csi.NodeGetCapabilitiesRequest) (*csi.NodeGetCapabilitiesResponse, error) {
	r := &csi.NodeGetCapabilitiesResponse{}
	for _, t := range []csi.NodeServiceCapability_RPC_Type{
		csi.NodeServiceCapability_RPC_STAGE_UNSTAGE_VOLUME,
		csi.NodeServiceCapability_RPC_GET_VOLUME_STATS,
		csi.NodeServiceCapability_RPC_SINGLE_NODE_MULTI_WRITER,
	} {
		r.Capabilities = append(r.Capabilities, &csi.NodeServiceCapability{
			Type: &csi.NodeServiceCapability_Rpc{Rpc: &csi.NodeServiceCapability_RPC{Type: t}},
		})
	}
	return r, nil
}

func (d nodePlugin) NodeStageVolume(_ context.Context, req *csi.NodeStageVolumeRequest) (*csi.NodeStageVolumeResponse, error) {
	id, path := req.GetVolumeId(), req.GetStagingTargetPath()
	if path == "" {
		return nil, bad("no staging path")
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
	case d.attach && v.Node != d.node:
		return nil, status.Errorf(codes.FailedPrecondition, "volume %s is not attached to %s", id, d.node)
	case v.Staged != "" && v.Staged != path:
		return nil, status.Errorf(codes.FailedPrecondition, "volume %s is staged at %s", id, v.Staged)
	}
	if err := d.disks[v.Filesystem].mount(d.volPath(id), path, v.ReadOnly); err != nil {
		return nil, err
	}
	return &csi.NodeStageVolumeResponse{}, d.change(func() { v.Staged = path })
}

func (d nodePlugin) NodeUnstageVolume(_ context.Context, req *csi.NodeUnstageVolumeRequest) (*csi.NodeUnstageVolumeResponse, error) {
	id, path := req.GetVolumeId(), req.GetStagingTargetPath()
	if path == "" {
		return nil, bad("no staging path")
	}
	v, end, err := d.hold(id)
	if err != nil {
		return nil, err
	}
	defer end()
	if v.Staged != path {
		return &csi.NodeUnstageVolumeResponse{}, nil
	}
	if len(v.Published) > 0 {
		return nil, status.Errorf(codes.FailedPrecondition, "volume %s is still published", id)
	}
	defer d.quiet.lock(id)()
	if err := unmount(path); err != nil {
		return nil, err
	}
	return &csi.NodeUnstageVolumeResponse{}, d.change(func() { v.Staged = "" })
}

func (d nodePlugin) NodePublishVolume(_ context.Context, req *csi.NodePublishVolumeRequest) (*csi.NodePublishVolumeResponse, error) {
	id, path, staging := req.GetVolumeId(), req.GetTargetPath(), req.GetStagingTargetPath()
	if path == "" {
		return nil, bad("no target path")
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
	case staging == "" || v.Staged != staging:
		return nil, status.Errorf(codes.FailedPrecondition, "volume %s is not staged at %q", id, staging)
	}
	if req.GetVolumeCapability().GetAccessMode().GetMode() == csi.VolumeCapability_AccessMode_SINGLE_NODE_SINGLE_WRITER {
		for p := range v.Published {
			if p != path {
				return nil, status.Errorf(codes.FailedPrecondition, "volume %s is published at %s", id, p)
			}
		}
	}
	if err := bind(staging, path, req.GetReadonly()); err != nil {
		return nil, err
	}
	return &csi.NodePublishVolumeResponse{}, d.change(func() {
		if v.Published == nil {
			v.Published = map[string]struct{}{}
		}
		v.Published[path] = struct{}{}
	})
}

func (d nodePlugin) NodeUnpublishVolume(_ context.Context, req *csi.NodeUnpublishVolumeRequest) (*csi.NodeUnpublishVolumeResponse, error) {
	id, path := req.GetVolumeId(), req.GetTargetPath()
	if path == "" {
		return nil, bad("no target path")
	}
	v, end, err := d.hold(id)
	if err != nil {
		return nil, err
	}
	defer end()
	// Only what this driver published: never another's mount or directory.
	if _, ok := v.Published[path]; !ok {
		return &csi.NodeUnpublishVolumeResponse{}, nil
	}
	if err := unmount(path); err != nil {
		return nil, err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, internal(err)
	}
	return &csi.NodeUnpublishVolumeResponse{}, d.change(func() { delete(v.Published, path) })
}

func (d nodePlugin) NodeGetVolumeStats(_ context.Context, req *csi.NodeGetVolumeStatsRequest) (*csi.NodeGetVolumeStatsResponse, error) {
	id, path := req.GetVolumeId(), req.GetVolumePath()
	if id == "" || path == "" {
		return nil, bad("no volume id or path")
	}
	d.mu.Lock()
	v := d.state.Volumes[id]
	ok := v != nil && v.Staged == path
	if v != nil && !ok {
		_, ok = v.Published[path]
	}
	d.mu.Unlock()
	if !ok {
		return nil, status.Errorf(codes.NotFound, "volume %s is not at %s", id, path)
	}
	u, err := d.disks[v.Filesystem].used(d.volPath(id), path)
	if err != nil {
		return nil, err
	}
	r := &csi.NodeGetVolumeStatsResponse{Usage: []*csi.VolumeUsage{{
		Unit: csi.VolumeUsage_BYTES, Total: u.total, Available: u.available, Used: u.used,
	}}}
	if u.inodes > 0 {
		r.Usage = append(r.Usage, &csi.VolumeUsage{
			Unit: csi.VolumeUsage_INODES, Total: u.inodes, Available: u.freeInodes, Used: u.inodes - u.freeInodes,
		})
	}
	return r, nil
}
