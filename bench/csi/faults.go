package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// intercept logs each call and its outcome as one JSON line, and lets a test
// make a call slow or fail: <state-dir>/faults/<Method> holds lines
// "delay=30s", "error=Unavailable some text", "count=2" (used up, the file
// goes; without it the fault stays until the file is removed),
// "except=<volume id>" (a volume that the fault leaves alone).
func (d *driver) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	method := filepath.Base(info.FullMethod)
	start := time.Now()
	err := d.fault(ctx, method, volumeOf(req))
	var resp any
	if err == nil {
		resp, err = next(ctx, req)
	}
	if method != "Probe" && method != "GetPluginInfo" {
		line := map[string]any{"time": start.UTC().Format(time.RFC3339Nano), "method": method, "ms": time.Since(start).Milliseconds(), "code": status.Code(err).String()}
		if m, ok := req.(proto.Message); ok {
			b, _ := protojson.Marshal(m)
			line["request"] = json.RawMessage(b)
		}
		if err != nil {
			line["error"] = err.Error()
		}
		b, _ := json.Marshal(line)
		fmt.Println(string(b))
	}
	return resp, err
}

// volumeOf is the id of the volume that a call is for, or "".
func volumeOf(req any) string {
	if r, ok := req.(interface{ GetVolumeId() string }); ok {
		return r.GetVolumeId()
	}
	return ""
}

func (d *driver) fault(ctx context.Context, method, volume string) error {
	d.mu.Lock()
	file := filepath.Join(d.dir, "faults", method)
	b, err := os.ReadFile(file)
	if err != nil {
		d.mu.Unlock()
		return nil
	}
	lines := strings.Split(string(b), "\n")
	if volume != "" && slices.Contains(lines, "except="+volume) {
		d.mu.Unlock()
		return nil
	}
	var delay time.Duration
	var fail error
	for _, l := range lines {
		k, v, _ := strings.Cut(strings.TrimSpace(l), "=")
		switch k {
		case "delay":
			delay, _ = time.ParseDuration(v)
		case "error":
			name, text, _ := strings.Cut(v, " ")
			code := codes.Internal
			for c := codes.Code(1); c <= codes.Unauthenticated; c++ {
				if c.String() == name {
					code = c
				}
			}
			fail = status.Error(code, "fault: "+text)
		case "count":
			n, _ := strconv.Atoi(v)
			if n <= 1 {
				os.Remove(file)
			} else {
				os.WriteFile(file, []byte(strings.Replace(string(b), l, "count="+strconv.Itoa(n-1), 1)), 0o600)
			}
		}
	}
	d.mu.Unlock()
	select {
	case <-time.After(delay):
		return fail
	case <-ctx.Done():
		return status.FromContextError(ctx.Err()).Err()
	}
}
