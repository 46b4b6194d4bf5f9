// Package health_test reads the health of our objects as Flux and Argo CD read it: from objects that the real operator
// has brought into each phase on the real API server (tests/it/recorded.rs; `make recordings` writes them anew).
package health_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	script = "../../../deploy/argocd/health.lua"
	patch  = "../../../deploy/argocd/argocd-cm.yaml"
)

// kinds are all of ours, as the entries of argocd-cm name them.
var kinds = []string{"CloudAccount", "Endpoint", "EndpointService", "WhitelistEntry", "ZoneResourceAssignment"}

// health is what both say of one object.
type health struct {
	flux status.Status
	argo string
	// message is how Argo CD's begins.
	message string
}

// expected names the recordings. Both wait for what moves or waits for others, and both call for a person where one
// has to mend something; of what waits to be asked, Flux knows no word of its own.
var expected = map[string]health{
	"cloudaccount-created":  {status.InProgressStatus, "Progressing", "nobody has looked"},
	"cloudaccount-ready":    {status.CurrentStatus, "Healthy", "Ready: "},
	"cloudaccount-stalled":  {status.FailedStatus, "Degraded", "CredentialsInvalid: "},
	"cloudaccount-deleting": {status.TerminatingStatus, "Progressing", "it is being deleted: BlockedByDependents: "},

	"endpointservice-created":     {status.InProgressStatus, "Progressing", "nobody has looked"},
	"endpointservice-reconciling": {status.InProgressStatus, "Progressing", "Provisioning: "},
	"endpointservice-ready":       {status.CurrentStatus, "Healthy", "Ready: "},
	"endpointservice-stalled":     {status.FailedStatus, "Degraded", "ReferenceNotFound: "},
	"endpointservice-changed":     {status.InProgressStatus, "Progressing", "nobody has looked"},
	"endpointservice-deleting":    {status.TerminatingStatus, "Progressing", "it is being deleted: BlockedByConnections: "},

	"endpoint-created":                {status.InProgressStatus, "Progressing", "nobody has looked"},
	"endpoint-reconciling":            {status.InProgressStatus, "Progressing", "Provisioning: "},
	"endpoint-waiting-for-acceptance": {status.InProgressStatus, "Progressing", "WaitingForAcceptance: "},
	"endpoint-ready":                  {status.CurrentStatus, "Healthy", "Ready: "},
	"endpoint-stalled":                {status.FailedStatus, "Degraded", "ReferenceNotFound: "},
	"endpoint-paused":                 {status.InProgressStatus, "Suspended", "Paused: "},
	"endpoint-deleting":               {status.TerminatingStatus, "Progressing", "it is being deleted"},

	"whitelistentry-created":                {status.InProgressStatus, "Progressing", "nobody has looked"},
	"whitelistentry-waiting-for-assignment": {status.InProgressStatus, "Progressing", "WaitingForAssignment: "},
	"whitelistentry-reconciling":            {status.InProgressStatus, "Progressing", "Provisioning: "},
	"whitelistentry-ready":                  {status.CurrentStatus, "Healthy", "WaitingForConsumer: "},
	"whitelistentry-stalled":                {status.FailedStatus, "Degraded", "InvalidSpec: "},
	"whitelistentry-deleting":               {status.TerminatingStatus, "Progressing", "it is being deleted"},

	"zoneresourceassignment-created":         {status.InProgressStatus, "Progressing", "nobody has looked"},
	"zoneresourceassignment-reconciling":     {status.InProgressStatus, "Progressing", "Migrating: "},
	"zoneresourceassignment-draining":        {status.InProgressStatus, "Progressing", "Draining: "},
	"zoneresourceassignment-approval-needed": {status.FailedStatus, "Suspended", "DrainApprovalNeeded: "},
	"zoneresourceassignment-ready":           {status.CurrentStatus, "Healthy", "Ready: "},
	"zoneresourceassignment-stalled":         {status.FailedStatus, "Degraded", "OwnershipConflict: "},
	"zoneresourceassignment-deleting":        {status.TerminatingStatus, "Progressing", "it is being deleted"},
}

func recorded(t *testing.T) map[string]*unstructured.Unstructured {
	t.Helper()
	files, err := filepath.Glob("recorded/*.json")
	if err != nil {
		t.Fatal(err)
	}
	objects := map[string]*unstructured.Unstructured{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(text); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		objects[strings.TrimSuffix(filepath.Base(file), ".json")] = object
	}
	return objects
}

func TestEveryRecordingIsExpected(t *testing.T) {
	objects := recorded(t)
	for name := range expected {
		if objects[name] == nil {
			t.Errorf("recorded/%s.json is missing: `make recordings` writes it", name)
		}
	}
	for name := range objects {
		if _, known := expected[name]; !known {
			t.Errorf("recorded/%s.json: nobody says which health it has", name)
		}
	}
}

func TestFluxReadsTheHealth(t *testing.T) {
	for name, object := range recorded(t) {
		result, err := status.Compute(object)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if result.Status != expected[name].flux {
			t.Errorf("%s is %s to Flux (%s), and should be %s", name, result.Status, result.Message, expected[name].flux)
		}
	}
}

func TestArgoReadsTheHealth(t *testing.T) {
	text, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	for name, object := range recorded(t) {
		state, message := assess(t, string(text), object.Object)
		want := expected[name]
		if state != want.argo || !strings.HasPrefix(message, want.message) {
			t.Errorf("%s is %s to Argo CD (%q), and should be %s (%s…)", name, state, message, want.argo, want.message)
		}
	}
}

func TestThePatchHoldsTheScriptForEachKind(t *testing.T) {
	text, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(patch)
	if err != nil {
		t.Fatal(err)
	}
	want := "data:\n"
	for _, kind := range kinds {
		want += "  resource.customizations.health.privatelink.dev_" + kind + ": |\n"
		for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
			want += "    " + line + "\n"
		}
	}
	_, data, found := strings.Cut(string(whole), "data:\n")
	if !found || "data:\n"+data != want {
		t.Errorf("%s differs from %s: it should be\n%s", patch, script, want)
	}
}

// assess runs a script as Argo CD does: with `obj`, with the base and table libraries and no other, and with what it
// returns as the health.
func assess(t *testing.T, text string, object map[string]any) (string, string) {
	t.Helper()
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable,
	} {
		state.Push(state.NewFunction(open))
		state.Push(lua.LString(name))
		state.Call(1, 0)
	}
	state.SetGlobal("obj", value(state, object))
	if err := state.DoString(text); err != nil {
		t.Fatal(err)
	}
	returned, is := state.Get(-1).(*lua.LTable)
	if !is {
		t.Fatalf("the script returned %s and no table", state.Get(-1).Type())
	}
	return lua.LVAsString(returned.RawGetString("status")), lua.LVAsString(returned.RawGetString("message"))
}

func value(state *lua.LState, of any) lua.LValue {
	switch of := of.(type) {
	case bool:
		return lua.LBool(of)
	case string:
		return lua.LString(of)
	case int64:
		return lua.LNumber(of)
	case float64:
		return lua.LNumber(of)
	case []any:
		table := state.CreateTable(len(of), 0)
		for _, one := range of {
			table.Append(value(state, one))
		}
		return table
	case map[string]any:
		table := state.CreateTable(0, len(of))
		for key, one := range of {
			table.RawSetString(key, value(state, one))
		}
		return table
	default:
		return lua.LNil
	}
}
