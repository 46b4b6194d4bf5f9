package chart_test

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"sort"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// kinds counts the kinds of what is rendered.
func kinds(objects map[string]object) map[string]int {
	counts := map[string]int{}
	for key := range objects {
		kind, _, _ := strings.Cut(key, " ")
		counts[kind]++
	}
	return counts
}

func TestWhatIsInstalled(t *testing.T) {
	everything := map[string]int{
		"CustomResourceDefinition": 5, "ServiceAccount": 1, "ClusterRole": 5, "ClusterRoleBinding": 1, "Role": 2,
		"RoleBinding": 2, "Deployment": 1, "PodDisruptionBudget": 1, "NetworkPolicy": 1,
		"ValidatingAdmissionPolicy": 1, "ValidatingAdmissionPolicyBinding": 1,
	}
	with := func(changes map[string]int) map[string]int {
		counts := map[string]int{}
		for kind, count := range everything {
			counts[kind] = count
		}
		for kind, count := range changes {
			counts[kind] = count
			if count == 0 {
				delete(counts, kind)
			}
		}
		return counts
	}
	for name, want := range map[string]map[string]int{
		"by default":         everything,
		"without CRDs":       with(map[string]int{"CustomResourceDefinition": 0}),
		"CRDs that go along": everything,
		"least":              {"Deployment": 1},
		"most": with(map[string]int{
			"ClusterRoleBinding": 2, "Role": 3, "RoleBinding": 3, "PodMonitor": 1, "PrometheusRule": 1, "ConfigMap": 1,
		}),
		"proxy of a Secret": everything,
	} {
		t.Run(name, func(t *testing.T) {
			if got := kinds(rendered(t, variants[name])); !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

func TestCRDsAreKeptUnlessAskedFor(t *testing.T) {
	for name, want := range map[string]any{"by default": "keep", "CRDs that go along": nil} {
		for key, made := range rendered(t, variants[name]) {
			kept := at(made, "metadata", "annotations", "helm.sh/resource-policy")
			if strings.HasPrefix(key, "CustomResourceDefinition ") && kept != want {
				t.Errorf("%s: %s has %v", name, key, kept)
			} else if !strings.HasPrefix(key, "CustomResourceDefinition ") && kept != nil {
				t.Errorf("%s: %s is kept", name, key)
			}
		}
	}
}

// pod is the pod template, its container, and the container's environment by name.
func pod(t *testing.T, objects map[string]object, deployment string) (template, container any, env map[string]any) {
	t.Helper()
	template = at(objects["Deployment privatelink-system/"+deployment], "spec", "template")
	containers, _ := at(template, "spec", "containers").([]any)
	if len(containers) != 1 {
		t.Fatalf("%d containers in %v", len(containers), objects)
	}
	env = map[string]any{}
	variables, _ := at(containers[0], "env").([]any)
	for _, variable := range variables {
		name, _ := at(variable, "name").(string)
		value := at(variable, "value")
		if value == nil {
			value = at(variable, "valueFrom")
		}
		if env[name] != nil {
			t.Errorf("%s is set twice", name)
		}
		env[name] = value
	}
	return template, containers[0], env
}

func TestValuesReachThePod(t *testing.T) {
	own := map[string]any{
		"POD_NAME":      object{"fieldRef": object{"fieldPath": "metadata.name"}},
		"POD_NAMESPACE": object{"fieldRef": object{"fieldPath": "metadata.namespace"}},
	}
	with := func(more map[string]any) map[string]any {
		for name, value := range own {
			more[name] = value
		}
		return more
	}
	t.Run("by default", func(t *testing.T) {
		template, container, env := pod(t, rendered(t, nil), "privatelink-operator")
		if want := with(map[string]any{"PRIVATELINK_LOG_FORMAT": "json", "RUST_LOG": "info"}); !reflect.DeepEqual(env, want) {
			t.Errorf("the environment is %v", env)
		}
		_, version := versions(t)
		if image := at(container, "image"); image != "privatelink-operator:"+version {
			t.Errorf("the image is %v", image)
		}
		if at(container, "volumeMounts") != nil || at(template, "spec", "volumes") != nil {
			t.Error("a volume that nothing needs")
		}
		spread, _ := at(template, "spec", "topologySpreadConstraints").([]any)
		for _, constraint := range spread {
			if !reflect.DeepEqual(at(constraint, "labelSelector", "matchLabels"), at(template, "metadata", "labels")) {
				t.Errorf("%v does not select the operator's pods", constraint)
			}
		}
		if len(spread) != 2 {
			t.Errorf("it is spread by %v", spread)
		}
	})
	t.Run("most", func(t *testing.T) {
		template, container, env := pod(t, rendered(t, variants["most"]), "links")
		want := with(map[string]any{
			"PRIVATELINK_LOG_FORMAT": "text", "RUST_LOG": "info,privatelink_operator=debug", "PRIVATELINK_CLUSTER_ID": "prod-1",
			"PRIVATELINK_CREDENTIAL_NAMESPACES": "team-a,team-b", "PRIVATELINK_PUBLISH": "true",
			"PRIVATELINK_EXTRA_CA":                  "/etc/privatelink-operator/extra-ca/ca.crt",
			"PRIVATELINK_ALIBABA_METADATA_ENDPOINT": "http://100.100.100.200",
			"HTTPS_PROXY":                           "http://proxy.example.com:3128", "NO_PROXY": "10.0.0.0/8,.svc",
			"ALIBABA_CLOUD_ROLE_ARN":             "acs:ram::1234567890123456:role/r",
			"ALIBABA_CLOUD_OIDC_PROVIDER_ARN":    "acs:ram::1234567890123456:oidc-provider/p",
			"ALIBABA_CLOUD_OIDC_TOKEN_FILE":      "/var/run/secrets/ack.alibabacloud.com/rrsa-tokens/token",
			"ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED": "true",
		})
		if !reflect.DeepEqual(env, want) {
			t.Errorf("the environment is %v", env)
		}
		if image := at(container, "image"); image != "registry.example.com:5000/links@sha256:"+strings.Repeat("0a", 32) {
			t.Errorf("the image is %v", image)
		}
		mounted := map[any]any{}
		mounts, _ := at(container, "volumeMounts").([]any)
		for _, mount := range mounts {
			mounted[at(mount, "name")] = at(mount, "mountPath")
		}
		volumes, _ := at(template, "spec", "volumes").([]any)
		for _, volume := range volumes {
			if mounted[at(volume, "name")] == nil {
				t.Errorf("%v is not mounted", volume)
			}
		}
		if len(volumes) != 2 || len(mounted) != 2 {
			t.Errorf("volumes %v, mounted %v", volumes, mounted)
		}
	})
	t.Run("proxy of a Secret", func(t *testing.T) {
		_, _, env := pod(t, rendered(t, variants["proxy of a Secret"]), "privatelink-operator")
		want := object{"secretKeyRef": object{"name": "proxy", "key": "https_proxy"}}
		if !reflect.DeepEqual(env["HTTPS_PROXY"], want) {
			t.Errorf("HTTPS_PROXY is %v", env["HTTPS_PROXY"])
		}
	})
}

// Whatever the names are, those who are bound exist, and who selects pods selects the operator's.
func TestNamesFitTogether(t *testing.T) {
	for _, name := range []string{"by default", "most"} {
		t.Run(name, func(t *testing.T) {
			objects := rendered(t, variants[name])
			bindings, selectors := 0, 0
			for key, made := range objects {
				kind, place, _ := strings.Cut(key, " ")
				namespace, _, _ := strings.Cut(place, "/")
				if strings.HasSuffix(kind, "RoleBinding") {
					bindings++
					role, _ := at(made, "roleRef", "name").(string)
					of, _ := at(made, "roleRef", "kind").(string)
					if objects[of+" "+namespace+"/"+role] == nil {
						t.Errorf("%s binds %s %s, which there is not", key, of, role)
					}
					for _, subject := range at(made, "subjects").([]any) {
						account, _ := at(subject, "name").(string)
						if objects["ServiceAccount privatelink-system/"+account] == nil {
							t.Errorf("%s binds to %s, which there is not", key, account)
						}
					}
				}
				for _, path := range [][]string{{"spec", "selector", "matchLabels"}, {"spec", "podSelector", "matchLabels"}} {
					wanted, selects := at(made, path...).(object)
					if !selects {
						continue
					}
					selectors++
					for deployment, one := range objects {
						labels, _ := at(one, "spec", "template", "metadata", "labels").(object)
						for label, value := range wanted {
							if strings.HasPrefix(deployment, "Deployment ") && labels[label] != value {
								t.Errorf("%s selects pods by %s=%v", key, label, value)
							}
						}
					}
				}
			}
			if bindings < 3 || selectors < 3 {
				t.Errorf("%d bindings and %d selectors were looked at", bindings, selectors)
			}
		})
	}
}

// normal takes off what says that Helm looks after an object.
func normal(objects map[string]object) map[string]object {
	for _, made := range objects {
		labels, _ := at(made, "metadata", "labels").(object)
		delete(labels, "helm.sh/chart")
		delete(labels, "app.kubernetes.io/managed-by")
	}
	return objects
}

func differences(t *testing.T, what string, got, want map[string]object) {
	t.Helper()
	var keys []string
	for key := range got {
		keys = append(keys, key)
	}
	for key := range want {
		if got[key] == nil {
			keys = append(keys, key)
		}
	}
	sort.Strings(keys)
	for _, key := range keys {
		if !reflect.DeepEqual(got[key], want[key]) {
			has, _ := yaml.Marshal(got[key])
			wants, _ := yaml.Marshal(want[key])
			t.Errorf("%s: %s is\n%s\nand the chart has\n%s", what, key, has, wants)
		}
	}
	if len(want) == 0 {
		t.Errorf("%s: nothing was compared", what)
	}
}

// crds/ and deploy/base together are the chart's defaults; with components they are the chart with the values of these,
// in each overlay and in a kustomization of a user's own.
func TestKustomizeIsTheChart(t *testing.T) {
	overlays, err := filepath.Glob(root + "/deploy/overlays/*")
	if err != nil || len(overlays) < 2 {
		t.Fatalf("%v: overlays %v", err, overlays)
	}
	for _, folder := range append(overlays, root+"/deploy/base", ownKustomization(t)) {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			stdout, stderr, ok := run(t, "kubectl", "kustomize", folder)
			if !ok {
				t.Fatal(stderr)
			}
			built := documents(t, stdout)
			// Helm makes it by --create-namespace.
			const namespace = "Namespace /privatelink-system"
			if at(built[namespace], "metadata", "labels", "pod-security.kubernetes.io/enforce") != "restricted" {
				t.Errorf("the namespace is %v", built[namespace])
			}
			delete(built, namespace)
			told := kustomization(t, folder)
			if (filepath.Base(folder) == "base") != (told.Components == nil) {
				t.Errorf("its components are %v", told.Components)
			}
			var values []string
			for _, component := range told.Components {
				values = append(values, "--values", filepath.Join(folder, component, "values.yaml"))
			}
			_, version := versions(t)
			for _, image := range told.Images {
				if image.NewTag != version {
					t.Errorf("the page's image is of %s, and this is %s", image.NewTag, version)
				}
				values = append(values, "--set-string", "image.repository="+image.NewName+",image.tag="+image.NewTag)
			}
			differences(t, folder, built, rendered(t, []string{`creator="static"`, `crds.install=false`}, values...))
		})
	}
}

// kustomized is what is said in a kustomization that decides what it makes of the base.
type kustomized struct {
	Components []string
	Images     []struct{ NewName, NewTag string }
}

func kustomization(t *testing.T, folder string) kustomized {
	t.Helper()
	var told kustomized
	if err := yaml.Unmarshal([]byte(read(t, folder+"/kustomization.yaml")), &told); err != nil {
		t.Fatal(err)
	}
	return told
}

// ownKustomization is the folder of the kustomization that the page shows, beside deploy/ as there. It has to have each
// component: so they are compared all at once, too.
func ownKustomization(t *testing.T) string {
	t.Helper()
	shown := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindStringSubmatch(read(t, page))
	if shown == nil {
		t.Fatal("the page has no kustomization")
	}
	deploy, err := filepath.Abs(root + "/deploy")
	if err != nil {
		t.Fatal(err)
	}
	checkout := t.TempDir()
	folder := checkout + "/my-kustomization"
	for _, err := range []error{
		os.Symlink(deploy, checkout+"/deploy"),
		os.Mkdir(folder, 0o700),
		os.WriteFile(folder+"/kustomization.yaml", []byte(shown[1]), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	all, err := filepath.Glob(checkout + "/deploy/components/*")
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, component := range kustomization(t, folder).Components {
		named = append(named, filepath.Join(folder, component))
	}
	sort.Strings(named)
	if len(all) < 2 || !reflect.DeepEqual(named, all) {
		t.Fatalf("the page names %v, and there are %v", named, all)
	}
	return folder
}

// What deploy/ is written from differs from what Helm installs by labels alone.
func TestStaticIsTheDefault(t *testing.T) {
	differences(t, "creator=static", rendered(t, []string{`creator="static"`}), normal(rendered(t, nil)))
}

func TestCRDsAreThoseOfTheCode(t *testing.T) {
	installed := rendered(t, nil)
	for key := range installed {
		if !strings.HasPrefix(key, "CustomResourceDefinition ") {
			delete(installed, key)
			continue
		}
		metadata := at(installed[key], "metadata").(object)
		delete(metadata, "labels")
		delete(metadata, "annotations")
	}
	files, err := filepath.Glob(root + "/crds/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]object{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for key, made := range documents(t, string(text)) {
			written[key] = made
		}
	}
	differences(t, "charts", installed, written)
}
