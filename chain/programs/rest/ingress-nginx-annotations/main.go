// Reads Ingresses, as YAML or JSON documents, and says what ingress-nginx's own code makes of their annotations. Each Ingress
// becomes one line of JSON with its namespace, its name and either `settings` or `refusal`, with `denied` if its requests are
// answered with 503. `log` says which values are bad and were replaced by defaults.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/go-logr/logr/funcr"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/klog/v2"

	"k8s.io/ingress-nginx/internal/ingress/annotations"
	"k8s.io/ingress-nginx/internal/ingress/annotations/auth"
	"k8s.io/ingress-nginx/internal/ingress/annotations/parser"
	"k8s.io/ingress-nginx/internal/ingress/controller/config"
	"k8s.io/ingress-nginx/internal/ingress/defaults"
	"k8s.io/ingress-nginx/internal/ingress/inspector"
	"k8s.io/ingress-nginx/internal/ingress/resolver"
	"k8s.io/ingress-nginx/version"
)

// cluster answers the parsers' questions: every object exists that an annotation names with its namespace, as the caches of
// ingress-nginx are asked.
type cluster struct{}

// The header in every ConfigMap.
const header = "X-Team"

func (cluster) GetDefaultBackend() defaults.Backend {
	backend := config.NewDefault().Backend
	backend.AllowedResponseHeaders = []string{header}
	return backend
}

// The defaults of the releases since 1.12, which are stricter than those of the module's version.
func (cluster) GetSecurityConfiguration() defaults.SecurityConfiguration {
	return defaults.SecurityConfiguration{AnnotationsRiskLevel: "High", AllowCrossNamespaceResources: false}
}

func (cluster) GetConfigMap(name string) (*core.ConfigMap, error) {
	if strings.Count(name, "/") != 1 {
		return nil, fmt.Errorf("no object matching key %q in local store", name)
	}
	return &core.ConfigMap{Data: map[string]string{header: "shop"}}, nil
}

func (cluster) GetService(string) (*core.Service, error) { return &core.Service{}, nil }

func (cluster) GetSecret(string) (*core.Secret, error) {
	return &core.Secret{Data: map[string][]byte{"auth": []byte("user:password")}}, nil
}

func (cluster) GetAuthCertificate(name string) (*resolver.AuthSSLCert, error) {
	return &resolver.AuthSSLCert{Secret: name, CAFileName: "ca.crt"}, nil
}

type answer struct {
	Namespace string               `json:"namespace"`
	Name      string               `json:"name"`
	Settings  *annotations.Ingress `json:"settings,omitempty"`
	Refusal   string               `json:"refusal,omitempty"`
	Denied    bool                 `json:"denied,omitempty"`
	Log       []json.RawMessage    `json:"log,omitempty"`
}

func main() {
	printVersion := flag.Bool("version", false, "print the version of ingress-nginx")
	flag.Parse()
	if *printVersion {
		fmt.Println(version.RELEASE)
		return
	}
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	// The parser of basic authentication writes its users into this folder.
	folder, err := os.MkdirTemp("", "ingress-nginx-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	if err := os.Chdir(folder); err != nil {
		return err
	}
	auth.AuthDirectory = "."
	parser.EnableAnnotationValidation = true
	extractor := annotations.NewAnnotationExtractor(cluster{})

	var logged []json.RawMessage
	klog.SetLogger(funcr.NewJSON(func(line string) { logged = append(logged, json.RawMessage(line)) }, funcr.Options{}))
	documents := yaml.NewYAMLOrJSONDecoder(os.Stdin, 4096)
	lines := json.NewEncoder(os.Stdout)
	for {
		var ingress networking.Ingress
		if err := documents.Decode(&ingress); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if ingress.Kind != "Ingress" {
			return fmt.Errorf("this is not an Ingress: kind %q, name %q", ingress.Kind, ingress.Name)
		}
		logged = nil
		settings, err := check(extractor, &ingress)
		line := answer{Namespace: ingress.Namespace, Name: ingress.Name, Settings: settings, Log: logged}
		if err != nil {
			line.Settings, line.Refusal, line.Denied = nil, err.Error(), settings != nil
		}
		if err := lines.Encode(line); err != nil {
			return err
		}
	}
}

// check does what the admission webhook does before it renders the configuration.
func check(extractor annotations.Extractor, ingress *networking.Ingress) (*annotations.Ingress, error) {
	for name := range ingress.Annotations {
		if strings.HasSuffix(name, "-snippet") {
			return nil, fmt.Errorf("%s: snippets are off by default", name)
		}
	}
	if err := errors.Join(inspector.DeepInspect(ingress), inspector.ValidatePathType(withoutDots(ingress))); err != nil {
		return nil, err
	}
	settings, err := extractor.Extract(ingress)
	if err == nil && settings.Denied != nil {
		err = errors.New(*settings.Denied)
	}
	return settings, err
}

// withoutDots is for the check of paths, which is on by default since 1.12 and allows dots since 1.12.6 and 1.13.2.
func withoutDots(ingress *networking.Ingress) *networking.Ingress {
	changed := ingress.DeepCopy()
	for _, rule := range changed.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for i := range rule.HTTP.Paths {
			rule.HTTP.Paths[i].Path = strings.ReplaceAll(rule.HTTP.Paths[i].Path, ".", "")
		}
	}
	return changed
}
