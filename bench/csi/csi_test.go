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

func TestVolumeLife(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("mounting needs root")
	}
	dir := t.TempDir()
	c, n, stop := start(t, dir)
	defer func() { stop() }()

	made, err := c.CreateVolume(ctx, &csi.CreateVolumeRequest{Name: "pvc-1", VolumeCapabilities: []*csi.VolumeCapability{rwo()}, CapacityRange: &csi.CapacityRange{RequiredBytes: 1 << 30}})
	if err != nil {
		t.Fatal(err)
	}
	id := made.Volume.VolumeId
	stagePath, target := dir+"/stage", dir+"/pods/a/mount"
	os.MkdirAll(filepath.Dir(target), 0o750)
	t.Cleanup(func() { unmount(target); unmount(stagePath) })
	stage := &csi.NodeStageVolumeRequest{VolumeId: id, StagingTargetPath: stagePath, VolumeCapability: rwo()}

	_, err = n.NodeStageVolume(ctx, stage)
	wantCode(t, "staging before attaching", err, codes.FailedPrecondition)
	_, err = c.ControllerPublishVolume(ctx, &csi.ControllerPublishVolumeRequest{VolumeId: id, NodeId: "node-b", VolumeCapability: rwo()})
	wantCode(t, "attaching to an unknown node", err, codes.NotFound)
	if _, err = c.ControllerPublishVolume(ctx, &csi.ControllerPublishVolumeRequest{VolumeId: id, NodeId: "node-a", VolumeCapability: rwo()}); err != nil {
		t.Fatal(err)
	}
	if _, err = n.NodeStageVolume(ctx, stage); err != nil {
		t.Fatal(err)
	}
	if _, err = n.NodePublishVolume(ctx, &csi.NodePublishVolumeRequest{VolumeId: id, StagingTargetPath: stagePath, TargetPath: target, VolumeCapability: rwo()}); err != nil {
		t.Fatal(err)
	}
	sh(t, `cd `+target+`; mkdir -m 700 pg; cd pg; echo 12 >PG_VERSION; ln PG_VERSION hard; ln -s PG_VERSION soft; truncate -s 64M sparse; chmod 640 hard; touch -h -d 2001-02-03T04:05:06Z soft; setfattr -n user.k -v v PG_VERSION 2>/dev/null || :; chown -R 999:998 .`)

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
	back, err := c.CreateVolume(ctx, &csi.CreateVolumeRequest{Name: "pvc-2", VolumeCapabilities: []*csi.VolumeCapability{rwo()}, VolumeContentSource: source})
	if err != nil {
		t.Fatal(err)
	}
	mounted := t.TempDir()
	defer unmount(mounted)
	got := sh(t, `mount -o loop,ro,noload `+dir+`/state/volumes/`+back.Volume.VolumeId+`.img `+mounted+`; cd `+mounted+`/pg; cat PG_VERSION soft; stat -c '%n %a %u:%g %h %s' . hard sparse; stat -c '%b' sparse; stat -c %Y soft; [ hard -ef PG_VERSION ] && echo linked`)
	want := "12\n12\n. 700 999:998 2 4096\nhard 640 999:998 2 3\nsparse 644 999:998 1 67108864\n0\n981173106\nlinked\n"
	if got != want {
		t.Fatalf("restored:\n%swant:\n%s", got, want)
	}

	if _, err = n.NodeUnpublishVolume(ctx, &csi.NodeUnpublishVolumeRequest{VolumeId: id, TargetPath: target}); err != nil {
		t.Fatal(err)
	}
	if _, err = n.NodeUnstageVolume(ctx, &csi.NodeUnstageVolumeRequest{VolumeId: id, StagingTargetPath: stagePath}); err != nil {
		t.Fatal(err)
	}
	if isMount(target) || isMount(stagePath) {
		t.Fatal("still mounted")
	}
	if _, err = c.ControllerUnpublishVolume(ctx, &csi.ControllerUnpublishVolumeRequest{VolumeId: id, NodeId: "node-a"}); err != nil {
		t.Fatal(err)
	}
	if _, err = c.DeleteVolume(ctx, &csi.DeleteVolumeRequest{VolumeId: id}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir + "/state/volumes/" + id + ".img"); !os.IsNotExist(err) {
		t.Fatal("the volume's data is still there")
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
