package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sama/run"
	"sama/serve/store"

	"github.com/spf13/cobra"
)

func TestCommandsOfTheServerSayHowTheyAreUsed(t *testing.T) {
	c := &cli{}
	n := 0
	for _, group := range []*cobra.Command{c.clientCommand(), c.purposeCommand(), c.auditCommand()} {
		for _, cmd := range group.Commands() {
			if n++; cmd.Short == "" || !strings.Contains(cmd.Long, "Exit codes:") || !strings.Contains(cmd.Example, "sama "+group.Name()+" "+cmd.Name()) {
				t.Errorf("%s: short %q, example %q, long %q", cmd.Name(), cmd.Short, cmd.Example, cmd.Long)
			}
		}
	}
	if n != 8 {
		t.Errorf("%d commands", n)
	}
}

// served is sama serve in the background.
type served struct {
	t      *testing.T
	url    string
	secret string
	stop   func() (code int, stderr string)
}

// lines hands over what is written, line by line.
type lines struct {
	mu   sync.Mutex
	all  bytes.Buffer
	line chan string
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.Write(p)
	for line := range strings.Lines(string(p)) {
		select {
		case l.line <- line:
		default:
		}
	}
	return len(p), nil
}

func (l *lines) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.all.String() }

// startServing serves an output directory, to a client that may everything.
func startServing(t *testing.T, out string) *served {
	t.Helper()
	mustRun(t, exitDone, "purpose", "add", "service", "--title", "Service", "--controller", "us", "--basis", "contract", "--fields", "*", "--text-version", "1", "--out", out)
	var made struct{ Secret string }
	name := fmt.Sprintf("c%d", time.Now().UnixNano())
	text, _ := mustRun(t, exitDone, "client", "add", name, "--roles", "read,search,write_records,consents,steward,admin", "--purposes", "service", "--fields", "*", "--out", out, "--json")
	if err := json.Unmarshal([]byte(text), &made); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stdout, stderr := &lines{line: make(chan string, 100)}, &lines{}
	done := make(chan int, 1)
	go func() {
		done <- Run(ctx, []string{"serve", "--out", out, "--listen", "127.0.0.1:0", "--rate", "0"}, strings.NewReader(""), stdout, stderr)
	}()
	s := &served{t: t, secret: made.Secret}
	s.stop = sync.OnceValues(func() (int, string) {
		cancel()
		return <-done, stderr.String()
	})
	t.Cleanup(func() { s.stop() })
	select {
	case line := <-stdout.line:
		s.url = regexp.MustCompile(`http://\S+`).FindString(line)
	case code := <-done:
		done <- code
		t.Fatalf("sama serve ended with %d: %s", code, stderr)
	}
	return s
}

// ask sends a request and reads the answer.
func (s *served) ask(method, path, body string) (int, map[string]any) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.secret)
	req.Header.Set("Sama-Purpose", "service")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(text, &v); err != nil {
		s.t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, text)
	}
	return resp.StatusCode, v
}

// bundledOut resolves the bundled silos.
func bundledOut(t *testing.T) (out string, files []string) {
	t.Helper()
	dir := filepath.Join(moduleRoot(t), "testdata")
	files = []string{filepath.Join(dir, "crm.parquet"), filepath.Join(dir, "webshop.csv.gz"), filepath.Join(dir, "service.jsonl")}
	out = filepath.Join(t.TempDir(), "customers")
	mustRun(t, exitDone, slices.Concat([]string{"resolve", "--quiet", "--out", out}, files)...)
	return out, files
}

// TestServedProfilesAreTheGoldenRecords reads identities over HTTP and holds
// them against golden.parquet.
func TestServedProfilesAreTheGoldenRecords(t *testing.T) {
	out, _ := bundledOut(t)
	s := startServing(t, out)
	r, err := run.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Members()
	if err != nil {
		t.Fatal(err)
	}
	columns := make(map[string]*run.GoldenTexts)
	for _, name := range []string{"given_name", "family_name", "email", "phone", "city"} {
		if columns[name], err = r.GoldenTexts(name); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i < m.Identities.Len(); i += 40 {
		id := m.Identities.At(uint32(i))
		status, p := s.ask("GET", "/v1/profiles/"+id, "")
		if status != 200 {
			t.Fatalf("%s: %d %v", id, status, p)
		}
		golden := p["golden"].(map[string]any)
		for name, texts := range columns {
			have, _ := golden[name].(string)
			if want := string(texts.At(uint32(i))); have != want {
				t.Errorf("%s: %s is %q, in golden.parquet %q", id, name, have, want)
			}
		}
	}
}

// TestServeGoesOverToANewRun resolves again while the server answers, and breaks
// a third run.
func TestServeGoesOverToANewRun(t *testing.T) {
	out, files := bundledOut(t)
	s := startServing(t, out)
	status, put := s.ask("POST", "/v1/records", `{"records":[{"source":"webshop","record_id":"W-new","fields":{"full_name":"Uolevi Uusinen","email":"uolevi.uusinen@luukku.fi"}}]}`)
	if status != 200 {
		t.Fatal(put)
	}
	id := put["records"].([]any)[0].(map[string]any)["identity_id"].(string)
	if status, p := s.ask("POST", "/v1/records", `{"records":[{"source":"webshop","record_id":"W-none","fields":{"given_name":"Uolevi"}}]}`); status != 422 || !strings.Contains(fmt.Sprint(p["detail"]), "full_name") {
		t.Errorf("a record with none of the source's columns: %d %v", status, p)
	}
	mustRun(t, exitDone, slices.Concat([]string{"resolve", "--quiet", "--out", out}, files)...)
	want := run.CurrentID(out)
	deadline := time.Now().Add(time.Minute)
	for {
		status, p := s.ask("GET", "/v1/profiles/"+id, "")
		if status != 200 || p["golden"].(map[string]any)["email"] != "uolevi.uusinen@luukku.fi" {
			t.Fatalf("%d %v", status, p)
		}
		if p["run_id"] == want {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("run %s is still served, not %s", p["run_id"], want)
		}
	}
	code, stderr := s.stop()
	if code != exitDone || strings.Contains(stderr, "Uolevi") || strings.Contains(stderr, "uolevi") || strings.Contains(stderr, "W-new") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if text, _ := mustRun(t, exitDone, "audit", "verify", "--out", out); !strings.Contains(text, "The access log is whole") {
		t.Error(text)
	}
	// What came online outlives the server.
	s = startServing(t, out)
	if status, p := s.ask("POST", "/v1/profiles:lookup", `{"identifier":{"field":"email","value":"Uolevi.Uusinen@luukku.fi"}}`); status != 200 || len(p["profiles"].([]any)) != 1 {
		t.Errorf("%d %v", status, p)
	}
}

// TestLostKeysAreNotMadeAnew moves the key file away after somebody was erased:
// without it they would come back.
func TestLostKeysAreNotMadeAnew(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	files := peopleFiles(t)
	mustRun(t, exitDone, slices.Concat([]string{"resolve", "--quiet", "--out", out}, files)...)
	name, aside := filepath.Join(out, keysName), filepath.Join(out, "kept.keys")
	s := &serving{cli: &cli{now: time.Now}, options: options{out: out}}
	state, keys, err := s.openState(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if keys.Newest() != 1 {
		t.Errorf("key %d", keys.Newest())
	}
	if err := state.Close(); err != nil {
		t.Fatal(err)
	}
	// Nothing needs the keys yet: others do as well.
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	mustRun(t, exitDone, slices.Concat([]string{"resolve", "--quiet", "--out", out}, files)...)
	if state, _, err = s.openState(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone := store.Person{Marks: []store.Mark{{Kind: store.KindRecord, Value: "crm:1"}}}
	if _, _, err := state.Erase(t.Context(), store.Erasure{Identities: []string{"0001000000000"}, Reason: "asked", By: "test"}, gone); err != nil {
		t.Fatal(err)
	}
	if err := state.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name, aside); err != nil {
		t.Fatal(err)
	}
	current := run.CurrentID(out)
	for _, args := range [][]string{
		{"serve", "--out", out, "--listen", "127.0.0.1:0"},
		slices.Concat([]string{"resolve", "--quiet", "--out", out}, files),
	} {
		stdout, stderr := mustRun(t, exitFailed, args...)
		for _, part := range []string{name + " is missing", "needs key 1 of it", "who were erased", "put the file back from the backup"} {
			if !strings.Contains(stderr, part) {
				t.Errorf("sama %s: %q is not in: %s", args[0], part, stderr)
			}
		}
		if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("sama %s made a key file: %v", args[0], err)
		}
		if stdout != "" || run.CurrentID(out) != current {
			t.Errorf("sama %s went on: %s", args[0], stdout)
		}
	}
	if err := os.Rename(aside, name); err != nil {
		t.Fatal(err)
	}
	mustRun(t, exitDone, slices.Concat([]string{"resolve", "--quiet", "--out", out}, files)...)
}

// TestServeSaysWhatIsWrongBeforeItSaysWhereItIs: flags that cannot be followed.
func TestServeSaysWhatIsWrongBeforeItSaysWhereItIs(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	mustRun(t, exitDone, append([]string{"resolve", "--quiet", "--out", out}, peopleFiles(t)...)...)
	none, text := filepath.Join(dir, "none.pem"), filepath.Join(dir, "text.pem")
	if err := os.WriteFile(text, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		args []string
		code int
		want []string
	}{
		{[]string{"--tls-cert", none, "--tls-key", none}, exitUsage, []string{"--tls-cert " + none, "--tls-key " + none, "no such file"}},
		{[]string{"--tls-cert", text, "--tls-key", none}, exitUsage, []string{"--tls-key " + none}},
		{[]string{"--tls-cert", text, "--tls-key", text}, exitUsage, []string{"--tls-cert " + text, "as PEM"}},
		{[]string{"--listen", "8080"}, exitUsage, []string{"--listen 8080", "want HOST:PORT"}},
		{[]string{"--listen", "127.0.0.1:99999"}, exitUsage, []string{"--listen 127.0.0.1:99999"}},
		{[]string{"--listen", taken.Addr().String()}, exitFailed, []string{"--listen " + taken.Addr().String(), "in use"}},
	} {
		stdout, stderr := mustRun(t, c.code, append([]string{"serve", "--out", out}, c.args...)...)
		for _, part := range c.want {
			if !strings.Contains(stderr, part) {
				t.Errorf("%s: %q is not in: %s", c.args, part, stderr)
			}
		}
		if stdout != "" || strings.Contains(stderr, `"level"`) {
			t.Errorf("%s: announced or logged: %s%s", c.args, stdout, stderr)
		}
	}
	for _, name := range []string{stateName, keysName} {
		if _, err := os.Stat(filepath.Join(out, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s was made", name)
		}
	}
}

func TestMistypedServerCommandsAreUsageErrors(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	for _, args := range [][]string{
		{"client", "add", "shop", "--roles", "read", "--out", none},
		{"purpose", "add", "service", "--title", "Service", "--controller", "us", "--basis", "contract", "--fields", "email", "--text-version", "1", "--by", "kim", "--out", none},
		{"audit", "verfy", "--out", none},
		{"client", "ad", "--out", none},
		{"purpose", "ad", "--out", none},
	} {
		mustRun(t, exitUsage, args...)
		if _, err := os.Stat(none); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("sama %s made the directory", args[0])
		}
	}
}
