package main

// Needs root: it mounts. Everything is under a temporary directory.

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

var ctx = context.Background()

func rwo() *csi.VolumeCapability {
	return &csi.VolumeCapability{
		AccessMode: &csi.VolumeCapability_AccessMode{Mode: csi.VolumeCapability_AccessMode_SINGLE_NODE_WRITER},
		AccessType: &csi.VolumeCapability_Mount{Mount: &csi.VolumeCapability_MountVolume{}},
	}
}

func wantCode(t *testing.T, what string, err error, c codes.Code) {
	t.Helper()
	if status.Code(err) != c {
		t.Fatalf("%s: got %v, want %v", what, err, c)
	}
}

// start runs the built-in driver and registrar as their own processes would.
func start(t *testing.T, dir string, extra ...string) (csi.ControllerClient, csi.NodeClient, func()) {
	t.Helper()
	sock := dir + "/csi.sock"
	p := exec.Command(os.Args[0], append([]string{"driver", "--endpoint", "unix://" + sock, "--state-dir", dir + "/state", "--node-id", "node-a"}, extra...)...)
	p.Env = append(os.Environ(), "CSI_TEST_MAIN=1")
	p.Stderr = os.Stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	c, err := grpc.NewClient("unix://"+sock, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.WaitForReady(true)))
	if err != nil {
		t.Fatal(err)
	}
	return csi.NewControllerClient(c), csi.NewNodeClient(c), func() { c.Close(); p.Process.Signal(os.Interrupt); p.Wait() }
}

func TestMain(m *testing.M) {
	if os.Getenv("CSI_TEST_MAIN") == "1" {
		main()
		return
	}
	os.Exit(m.Run())
}

func sh(t *testing.T, script string) string {
	t.Helper()
	out, err := exec.Command("bash", "-euc", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return string(out)
}

// use attaches, stages and publishes a volume as the kubelet would, and returns where its files are.
func use(t *testing.T, c csi.ControllerClient, n csi.NodeClient, dir, id string) (stage, target string) {
	t.Helper()
	stage, target = dir+"/stage-"+id, dir+"/pods/"+id+"/mount"
	os.MkdirAll(filepath.Dir(target), 0o750)
	t.Cleanup(func() { unmount(target); unmount(stage) })
	if _, err := c.ControllerPublishVolume(ctx, &csi.ControllerPublishVolumeRequest{VolumeId: id, NodeId: "node-a", VolumeCapability: rwo()}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.NodeStageVolume(ctx, &csi.NodeStageVolumeRequest{VolumeId: id, StagingTargetPath: stage, VolumeCapability: rwo()}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.NodePublishVolume(ctx, &csi.NodePublishVolumeRequest{VolumeId: id, StagingTargetPath: stage, TargetPath: target, VolumeCapability: rwo()}); err != nil {
		t.Fatal(err)
	}
	return stage, target
}

// release is the other way.
func release(t *testing.T, c csi.ControllerClient, n csi.NodeClient, id, stage, target string) {
	t.Helper()
	if _, err := n.NodeUnpublishVolume(ctx, &csi.NodeUnpublishVolumeRequest{VolumeId: id, TargetPath: target}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.NodeUnstageVolume(ctx, &csi.NodeUnstageVolumeRequest{VolumeId: id, StagingTargetPath: stage}); err != nil {
		t.Fatal(err)
	}
	if isMount(target) || isMount(stage) {
		t.Fatal("still mounted")
	}
	if _, err := c.ControllerUnpublishVolume(ctx, &csi.ControllerUnpublishVolumeRequest{VolumeId: id, NodeId: "node-a"}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.DeleteVolume(ctx, &csi.DeleteVolumeRequest{VolumeId: id}); err != nil {
		t.Fatal(err)
	}
}

func create(t *testing.T, c csi.ControllerClient, req *csi.CreateVolumeRequest, filesystem string) string {
	t.Helper()
	req.VolumeCapabilities = []*csi.VolumeCapability{rwo()}
	if req.Parameters == nil {
		req.Parameters = map[string]string{}
	}
	req.Parameters["filesystem"] = filesystem
	made, err := c.CreateVolume(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	return made.Volume.VolumeId
}

// unmountPool takes away what the driver leaves mounted: the pool outlives it, as volumes do.
func unmountPool(t *testing.T, dir string) {
	t.Cleanup(func() {
		if err := unmount(dir + "/state/btrfs"); err != nil {
			t.Error(err)
		}
	})
}

func TestVolumeLife(t *testing.T) {
	for _, filesystem := range []string{"ext4", "btrfs"} {
		t.Run(filesystem, func(t *testing.T) { volumeLife(t, filesystem) })
	}
}

func volumeLife(t *testing.T, filesystem string) {
	dir := t.TempDir()
	unmountPool(t, dir)
	c, n, stop := start(t, dir)
	defer func() { stop() }()

	id := create(t, c, &csi.CreateVolumeRequest{Name: "pvc-1", CapacityRange: &csi.CapacityRange{RequiredBytes: 1 << 30}}, filesystem)
	_, err := n.NodeStageVolume(ctx, &csi.NodeStageVolumeRequest{VolumeId: id, StagingTargetPath: dir + "/stage", VolumeCapability: rwo()})
	wantCode(t, "staging before attaching", err, codes.FailedPrecondition)
	_, err = c.ControllerPublishVolume(ctx, &csi.ControllerPublishVolumeRequest{VolumeId: id, NodeId: "node-b", VolumeCapability: rwo()})
	wantCode(t, "attaching to an unknown node", err, codes.NotFound)
	_, err = n.NodeStageVolume(ctx, &csi.NodeStageVolumeRequest{VolumeId: "vol-0", StagingTargetPath: dir + "/stage", VolumeCapability: rwo()})
	wantCode(t, "staging an unknown volume", err, codes.NotFound)
	_, err = n.NodeStageVolume(ctx, &csi.NodeStageVolumeRequest{StagingTargetPath: dir + "/stage", VolumeCapability: rwo()})
	wantCode(t, "staging without an id", err, codes.InvalidArgument)
	stage, target := use(t, c, n, dir, id)
	sh(t, `cd `+target+`; mkdir -m 700 pg; cd pg; echo 12 >PG_VERSION; ln PG_VERSION hard; ln -s PG_VERSION soft; truncate -s 64M sparse; chmod 640 hard; touch -h -d 2001-02-03T04:05:06Z soft; chown -R 999:998 .`)

	_, err = c.DeleteVolume(ctx, &csi.DeleteVolumeRequest{VolumeId: id})
	wantCode(t, "deleting while mounted", err, codes.FailedPrecondition)
	_, err = c.ControllerUnpublishVolume(ctx, &csi.ControllerUnpublishVolumeRequest{VolumeId: id, NodeId: "node-a"})
	wantCode(t, "detaching while mounted", err, codes.FailedPrecondition)

	snap, err := c.CreateSnapshot(ctx, &csi.CreateSnapshotRequest{Name: "s1", SourceVolumeId: id})
	if err != nil || !snap.Snapshot.ReadyToUse {
		t.Fatal(snap, err)
	}
	again, err := c.CreateSnapshot(ctx, &csi.CreateSnapshotRequest{Name: "s1", SourceVolumeId: id})
	if err != nil || again.Snapshot.SnapshotId != snap.Snapshot.SnapshotId {
		t.Fatal("a second try made another snapshot", again, err)
	}
	sh(t, `echo 15 >`+target+`/pg/PG_VERSION; rm `+target+`/pg/soft`)

	// The driver restarts while the volume is mounted; it still knows.
	stop()
	c, n, stop = start(t, dir, "--snapshot-ready-after=1h")
	l, err := c.ListVolumes(ctx, &csi.ListVolumesRequest{})
	if err != nil || len(l.Entries) != 1 || strings.Join(l.Entries[0].Status.PublishedNodeIds, ",") != "node-a" {
		t.Fatal("after a restart", l, err)
	}
	slow, err := c.CreateSnapshot(ctx, &csi.CreateSnapshotRequest{Name: "s2", SourceVolumeId: id})
	if err != nil || slow.Snapshot.ReadyToUse {
		t.Fatal("--snapshot-ready-after", slow, err)
	}

	source := &csi.VolumeContentSource{Type: &csi.VolumeContentSource_Snapshot{Snapshot: &csi.VolumeContentSource_SnapshotSource{SnapshotId: snap.Snapshot.SnapshotId}}}
	back := create(t, c, &csi.CreateVolumeRequest{Name: "pvc-2", VolumeContentSource: source}, filesystem)
	backStage, backTarget := use(t, c, n, dir, back)
	got := sh(t, `cd `+backTarget+`/pg; cat PG_VERSION soft; stat -c '%n %a %u:%g' .; stat -c '%n %a %u:%g %h %s' hard sparse; stat -c '%b' sparse; stat -c %Y soft; [ hard -ef PG_VERSION ] && echo linked`)
	want := "12\n12\n. 700 999:998\nhard 640 999:998 2 3\nsparse 644 999:998 1 67108864\n0\n981173106\nlinked\n"
	if got != want {
		t.Fatalf("restored:\n%swant:\n%s", got, want)
	}

	release(t, c, n, id, stage, target)
	release(t, c, n, back, backStage, backTarget)
	for _, s := range []string{snap.Snapshot.SnapshotId, slow.Snapshot.SnapshotId} {
		if _, err := c.DeleteSnapshot(ctx, &csi.DeleteSnapshotRequest{SnapshotId: s}); err != nil {
			t.Fatal(err)
		}
	}
	if left := sh(t, `cd `+dir+`/state; find volumes snapshots btrfs -mindepth 1 2>/dev/null || :`); left != "" {
		t.Fatal("the data is still there: ", left)
	}
}

func TestSnapshotsOfSlowClasses(t *testing.T) {
	dir := t.TempDir()
	c, n, stop := start(t, dir)
	defer func() { stop() }()
	id := create(t, c, &csi.CreateVolumeRequest{Name: "pvc-1", CapacityRange: &csi.CapacityRange{RequiredBytes: 256 << 20}}, "ext4")
	stage, target := use(t, c, n, dir, id)
	take := func(name string, parameters map[string]string) (*csi.Snapshot, error) {
		made, err := c.CreateSnapshot(ctx, &csi.CreateSnapshotRequest{Name: name, SourceVolumeId: id, Parameters: parameters})
		return made.GetSnapshot(), err
	}
	contents := func(s *csi.Snapshot) string {
		source := &csi.VolumeContentSource{Type: &csi.VolumeContentSource_Snapshot{Snapshot: &csi.VolumeContentSource_SnapshotSource{SnapshotId: s.SnapshotId}}}
		copied := create(t, c, &csi.CreateVolumeRequest{Name: "of-" + s.SnapshotId, VolumeContentSource: source}, "ext4")
		at, mounted := use(t, c, n, dir, copied)
		defer release(t, c, n, copied, at, mounted)
		return sh(t, `cat `+mounted+`/file`)
	}
	sh(t, `echo before >`+target+`/file`)
	_, err := take("s0", map[string]string{"readyAfter": "soon"})
	wantCode(t, "a delay that is none", err, codes.InvalidArgument)
	for name, want := range map[string]string{"readyAfter": "before\n", "cutAfter": "after\n"} {
		parameters := map[string]string{name: "1s"}
		sh(t, `echo before >`+target+`/file`)
		s, err := take(name, parameters)
		if err != nil || s.ReadyToUse || s.CreationTime == nil {
			t.Fatal(name, s, err)
		}
		sh(t, `echo after >`+target+`/file`)
		for deadline := time.Now().Add(10 * time.Second); !s.ReadyToUse; {
			if time.Now().After(deadline) {
				t.Fatal(name, "never ready")
			}
			time.Sleep(100 * time.Millisecond)
			if s, err = take(name, parameters); err != nil {
				t.Fatal(name, err)
			}
		}
		if got := contents(s); got != want {
			t.Errorf("%s: the snapshot has %q, want %q", name, got, want)
		}
	}
	release(t, c, n, id, stage, target)
}

func TestReflinksAndLimitOfBtrfs(t *testing.T) {
	dir := t.TempDir()
	unmountPool(t, dir)
	c, n, stop := start(t, dir)
	defer func() { stop() }()
	id := create(t, c, &csi.CreateVolumeRequest{Name: "pvc-1", CapacityRange: &csi.CapacityRange{RequiredBytes: 200 << 20}}, "btrfs")
	_, target := use(t, c, n, dir, id)
	// Three times 150 MB in 200 MB: reflinks take no room.
	sh(t, `cd `+target+`; head -c 150M /dev/urandom >data; cp --reflink=always data again; cp --reflink=always data third; ln data hard`)
	stats, err := n.NodeGetVolumeStats(ctx, &csi.NodeGetVolumeStatsRequest{VolumeId: id, VolumePath: target})
	if err != nil {
		t.Fatal(err)
	}
	u := stats.Usage[0]
	if u.Total != 200<<20 || u.Used < 150<<20 || u.Used > 155<<20 || u.Available != u.Total-u.Used || len(stats.Usage) != 1 {
		t.Fatal("stats", stats)
	}
	if out := sh(t, `cd `+target+`; head -c 100M /dev/urandom >more 2>`+dir+`/error || :; rm more; cat `+dir+`/error`); !strings.Contains(out, "quota exceeded") {
		t.Fatal("more than its size went into the volume: ", out)
	}
	// A snapshot refers to the same, and so can a volume of the same size which is made from it.
	snap, err := c.CreateSnapshot(ctx, &csi.CreateSnapshotRequest{Name: "s1", SourceVolumeId: id})
	if err != nil {
		t.Fatal(err)
	}
	source := &csi.VolumeContentSource{Type: &csi.VolumeContentSource_Snapshot{Snapshot: &csi.VolumeContentSource_SnapshotSource{SnapshotId: snap.Snapshot.SnapshotId}}}
	_, restored := use(t, c, n, dir, create(t, c, &csi.CreateVolumeRequest{Name: "pvc-2", VolumeContentSource: source, CapacityRange: &csi.CapacityRange{RequiredBytes: 200 << 20}}, "btrfs"))
	if out := sh(t, `cd `+restored+`; cmp data `+target+`/again; head -c 100M /dev/urandom >more 2>`+dir+`/error || :; cat `+dir+`/error`); !strings.Contains(out, "quota exceeded") {
		t.Fatal("the restored volume has no limit: ", out)
	}
}

func TestPoolOfBtrfsIsMountedAgain(t *testing.T) {
	dir := t.TempDir()
	unmountPool(t, dir)
	c, n, stop := start(t, dir)
	defer func() { stop() }()
	id := create(t, c, &csi.CreateVolumeRequest{Name: "pvc-1"}, "btrfs")
	stage, target := use(t, c, n, dir, id)
	sh(t, `echo kept >`+target+`/file`)
	// As after a reboot: the driver was not told, and no mount is left.
	stop()
	sh(t, `umount `+target+` `+stage+` `+dir+`/state/btrfs`)
	os.WriteFile(dir+"/state/btrfs.img.part", []byte("a format which was killed"), 0o600)
	c, n, stop = start(t, dir)
	stage, target = use(t, c, n, dir, id)
	if got := sh(t, `cat `+target+`/file`); got != "kept\n" {
		t.Fatal("after the mounts were gone: ", got)
	}
	release(t, c, n, id, stage, target)
}

func TestSeed(t *testing.T) {
	for _, filesystem := range []string{"ext4", "btrfs"} {
		t.Run(filesystem, func(t *testing.T) {
			dir := t.TempDir()
			unmountPool(t, dir)
			c, n, stop := start(t, dir)
			defer stop()
			seed := dir + "/state/seeds/ns/data-0.img"
			sh(t, `mkdir -p `+dir+`/seed `+filepath.Dir(seed)+`; truncate -s 64M `+seed+`; mkfs.ext4 -q `+seed+`; mount -o loop `+seed+` `+dir+`/seed
				cd `+dir+`/seed; chmod 2775 .; chown 0:1001 .; mkdir -m 700 data; echo 12 >data/PG_VERSION; chown -R 1001:1002 data; cd /; umount `+dir+`/seed`)
			claim := map[string]string{"csi.storage.k8s.io/pvc/namespace": "ns", "csi.storage.k8s.io/pvc/name": "data-0"}
			id := create(t, c, &csi.CreateVolumeRequest{Name: "pvc-1", Parameters: claim, CapacityRange: &csi.CapacityRange{RequiredBytes: 256 << 20}}, filesystem)
			_, target := use(t, c, n, dir, id)
			got := sh(t, `cd `+target+`; stat -c '%n %a %u:%g' . data data/PG_VERSION; cat data/PG_VERSION; ls | grep -v lost+found`)
			if want := ". 2775 0:1001\ndata 2700 1001:1002\ndata/PG_VERSION 644 1001:1002\n12\ndata\n"; got != want {
				t.Fatalf("seeded:\n%swant:\n%s", got, want)
			}
			stats, err := n.NodeGetVolumeStats(ctx, &csi.NodeGetVolumeStatsRequest{VolumeId: id, VolumePath: target})
			if err != nil || stats.Usage[0].Total < 200<<20 || stats.Usage[0].Total > 256<<20 {
				t.Fatal("size of the volume", stats, err)
			}
			if _, err := os.Stat(seed); !os.IsNotExist(err) {
				t.Fatal("the seed is still there")
			}
			other := create(t, c, &csi.CreateVolumeRequest{Name: "pvc-2", Parameters: claim}, filesystem)
			_, target = use(t, c, n, dir, other)
			if _, err := os.Stat(target + "/data"); !os.IsNotExist(err) {
				t.Fatal("seeded twice")
			}
		})
	}
}

func TestFault(t *testing.T) {
	dir := t.TempDir()
	c, _, stop := start(t, dir)
	defer stop()
	if _, err := c.GetCapacity(ctx, &csi.GetCapacityRequest{}); err != nil {
		t.Fatal(err)
	}
	file := dir + "/state/faults/GetCapacity"
	os.WriteFile(file, []byte("delay=300ms\nerror=Unavailable the disk is away\ncount=2\n"), 0o600)
	for i := 0; i < 2; i++ {
		begun := time.Now()
		_, err := c.GetCapacity(ctx, &csi.GetCapacityRequest{})
		wantCode(t, "fault", err, codes.Unavailable)
		if time.Since(begun) < 300*time.Millisecond || !strings.Contains(err.Error(), "the disk is away") {
			t.Fatal(time.Since(begun), err)
		}
	}
	if _, err := c.GetCapacity(ctx, &csi.GetCapacityRequest{}); err != nil {
		t.Fatal("after the count:", err)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Fatal("the fault's file is still there")
	}
	os.WriteFile(dir+"/state/faults/ControllerUnpublishVolume", []byte("error=Unavailable the disk is away\nexcept=vol-1\n"), 0o600)
	for volume, code := range map[string]codes.Code{"vol-1": codes.OK, "vol-2": codes.Unavailable} {
		_, err := c.ControllerUnpublishVolume(ctx, &csi.ControllerUnpublishVolumeRequest{VolumeId: volume})
		wantCode(t, volume, err, code)
	}
}

func TestRegistrar(t *testing.T) {
	dir := t.TempDir()
	_, _, stop := start(t, dir)
	defer stop()
	p := exec.Command(os.Args[0], "registrar", "--csi-address", dir+"/csi.sock", "--kubelet-registration-path", "/seen/by/kubelet.sock", "--plugin-registration-path", dir)
	p.Env = append(os.Environ(), "CSI_TEST_MAIN=1")
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient("unix://"+dir+"/disk.csi.bench-reg.sock", grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := registration.NewRegistrationClient(conn)
	info, err := r.GetInfo(ctx, &registration.InfoRequest{}, grpc.WaitForReady(true))
	if err != nil || info.Type != "CSIPlugin" || info.Name != "disk.csi.bench" || info.Endpoint != "/seen/by/kubelet.sock" || info.SupportedVersions[0] != "1.0.0" {
		t.Fatal(info, err)
	}
	if _, err = r.NotifyRegistrationStatus(ctx, &registration.RegistrationStatus{PluginRegistered: false, Error: "no"}); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err == nil || p.ProcessState.ExitCode() != 1 {
		t.Fatal("a refused registration must end the process with 1:", err)
	}
}

func TestTwoNodes(t *testing.T) {
	dir := t.TempDir()
	c, a, stop := start(t, dir, "--second-node", "node-b=unix://"+dir+"/b.sock")
	defer func() { stop() }()
	conn, err := grpc.NewClient("unix://"+dir+"/b.sock", grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultCallOptions(grpc.WaitForReady(true)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	b := csi.NewNodeClient(conn)
	for name, n := range map[string]csi.NodeClient{"node-a": a, "node-b": b} {
		info, err := n.NodeGetInfo(ctx, &csi.NodeGetInfoRequest{})
		if err != nil || info.NodeId != name || info.AccessibleTopology.Segments["topology.disk.csi.bench/zone"] != "bench" {
			t.Fatal(name, info, err)
		}
	}

	id := create(t, c, &csi.CreateVolumeRequest{Name: "pvc-1"}, "ext4")
	stage, target := use(t, c, a, dir, id)
	sh(t, `echo kept >`+target+`/file; sync `+target+`/file`)
	attach := func(node string) error {
		_, err := c.ControllerPublishVolume(ctx, &csi.ControllerPublishVolumeRequest{VolumeId: id, NodeId: node, VolumeCapability: rwo()})
		return err
	}
	stageOn := func(n csi.NodeClient, path string) error {
		_, err := n.NodeStageVolume(ctx, &csi.NodeStageVolumeRequest{VolumeId: id, StagingTargetPath: path, VolumeCapability: rwo()})
		return err
	}
	wantCode(t, "attaching to a second node", attach("node-b"), codes.FailedPrecondition)
	wantCode(t, "staging where it is not attached", stageOn(b, dir+"/b-stage"), codes.FailedPrecondition)
	wantCode(t, "attaching to an unknown node", attach("node-c"), codes.NotFound)
	_, err = c.ControllerUnpublishVolume(ctx, &csi.ControllerUnpublishVolumeRequest{VolumeId: id, NodeId: "node-a"})
	wantCode(t, "detaching while mounted", err, codes.FailedPrecondition)

	// node-a dies: its mounts go without a word.
	sh(t, `umount `+target+` `+stage)
	if _, err := c.CreateSnapshot(ctx, &csi.CreateSnapshotRequest{Name: "s1", SourceVolumeId: id}); err != nil {
		t.Fatal("a snapshot of a volume which a dead node had: ", err)
	}
	if _, err := c.ControllerUnpublishVolume(ctx, &csi.ControllerUnpublishVolumeRequest{VolumeId: id, NodeId: "node-a"}); err != nil {
		t.Fatal("detaching from a dead node: ", err)
	}
	if err := attach("node-b"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "staging on the node which had it", stageOn(a, stage), codes.FailedPrecondition)
	t.Cleanup(func() { unmount(dir + "/b-stage") })
	if err := stageOn(b, dir+"/b-stage"); err != nil {
		t.Fatal(err)
	}
	if got := sh(t, `cat `+dir+`/b-stage/file`); got != "kept\n" {
		t.Fatal("on the other node: ", got)
	}
}
