package serve

import (
	"bytes"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sama/serve/store"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var discard = slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError + 1}))

func TestGeneratedCodeIsOfThisContract(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "api.gen.go")
	config, err := os.ReadFile(filepath.Join("api", "generate.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	aside := filepath.Join(dir, "generate.yaml")
	if err := os.WriteFile(aside, bytes.Replace(config, []byte("output: api.gen.go"), []byte("output: "+name), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", "tool", "oapi-codegen", "-config", aside, "../openapi.yaml")
	cmd.Dir = "api"
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile(filepath.Join("api", "api.gen.go"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, have) {
		t.Error("serve/api is not what openapi.yaml gives; run go generate ./serve/api")
	}
}

func TestContractIsValid(t *testing.T) {
	c, err := readContract()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
}

// rolesInWords reads what the contract says in words about who may.
func rolesInWords(t *testing.T, op *operation) []store.Role {
	t.Helper()
	_, text, ok := strings.Cut(op.spec.Description, "Roles: ")
	if !ok {
		t.Fatalf("%s: its description does not say who may", op.id)
	}
	text = strings.TrimSuffix(strings.TrimSpace(text), ".")
	if text == "any" {
		return nil
	}
	var roles []store.Role
	for name := range strings.SplitSeq(text, ", ") {
		roles = append(roles, store.Role(name))
	}
	return roles
}

func TestEveryOperationHasARuleAndSaysIt(t *testing.T) {
	c, err := readContract()
	if err != nil {
		t.Fatal(err)
	}
	known := make(map[string]bool)
	for _, op := range c.operations {
		known[op.id] = true
		if op.spec.Summary == "" || op.spec.Description == "" {
			t.Errorf("%s is not described", op.id)
		}
		if op.open {
			continue
		}
		rule, ok := rules[op.id]
		if !ok {
			t.Errorf("%s has no rule", op.id)
			continue
		}
		if want := rolesInWords(t, op); !slices.Equal(rule.roles, want) {
			t.Errorf("%s: the rule has roles %v, the contract says %v", op.id, rule.roles, want)
		}
		takes := slices.ContainsFunc(op.params, func(p parameter) bool { return p.name == "Sama-Purpose" && p.required })
		if rule.purpose != takes {
			t.Errorf("%s: the rule asks for a purpose: %v, the contract: %v", op.id, rule.purpose, takes)
		}
		if rule.cost < 1 || rule.cost > maxCost {
			t.Errorf("%s costs %d", op.id, rule.cost)
		}
	}
	for id := range rules {
		if !known[id] {
			t.Errorf("there is a rule for %s, which the contract has not", id)
		}
	}
}

func TestEverySchemaIsDescribed(t *testing.T) {
	c, err := readContract()
	if err != nil {
		t.Fatal(err)
	}
	for name, ref := range c.doc.Components.Schemas {
		if ref.Value.Description == "" {
			t.Errorf("schema %s is not described", name)
		}
		for field, property := range ref.Value.Properties {
			if property.Value.Description == "" {
				t.Errorf("schema %s: %s is not described", name, field)
			}
		}
		if ref.Value.Type.Is("object") && len(ref.Value.Properties) > 0 && (ref.Value.AdditionalProperties.Has == nil || *ref.Value.AdditionalProperties.Has) {
			t.Errorf("schema %s takes properties that it does not name", name)
		}
	}
}

func TestEveryProblemCodeHasAStatus(t *testing.T) {
	c, err := readContract()
	if err != nil {
		t.Fatal(err)
	}
	var inContract []string
	for _, v := range c.doc.Components.Schemas["ProblemCode"].Value.Enum {
		inContract = append(inContract, v.(string))
	}
	var inTable []string
	for code := range maps.Keys(problemKinds) {
		inTable = append(inTable, string(code))
	}
	slices.Sort(inContract)
	slices.Sort(inTable)
	if !slices.Equal(inContract, inTable) {
		t.Errorf("codes of the contract %v\nand of the table %v", inContract, inTable)
	}
}

func TestDocsPageHasEveryOperationAndNothingFromElsewhere(t *testing.T) {
	r := newRig(t, nil)
	page := r.want(call{method: "GET", path: "/docs"}, 200, "")
	for _, op := range r.server.contract.operations {
		if !strings.Contains(page.body, `id="`+op.id+`"`) {
			t.Errorf("the page has no %s", op.id)
		}
	}
	for _, bad := range []string{"<script", "src=", "http://", "ZgotmplZ"} {
		if i := strings.Index(page.body, bad); i >= 0 {
			t.Errorf("the page has %s: %s", bad, page.body[i:min(len(page.body), i+80)])
		}
	}
	if !strings.Contains(page.header.Get("Content-Security-Policy"), "sha256-") {
		t.Error("the page's style is not let in by its hash")
	}
}
