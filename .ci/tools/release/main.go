// Command release prints the tags of a release in their order, or packs the modules of the repository as a file GOPROXY.
//
//	go -C .ci/tools run ./release -tags
//	go -C .ci/tools run ./release -proxy DIR
//
// A module is packed from the last commit, as a module proxy packs it from a tag. Modules without a released path (tools,
// benchmarks, the browser test) are left out.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// root is the path of the module at the top of the repository.
const root = "github.com/haidra-org/modelref"

// unreleased are the directories of modules that nobody imports.
var unreleased = []string{".ci/tools", "bench", "mirror/browsertest"}

// A releasedModule is a module of the repository.
type releasedModule struct {
	path     string
	dir      string // relative to the top, "" for the root
	file     []byte // its go.mod
	requires []string
}

func main() {
	tags := flag.Bool("tags", false, "print the tags, a line each, in the order in which they must be pushed")
	proxy := flag.String("proxy", "", "pack all modules as a file GOPROXY in this `directory`")
	flag.Parse()
	if err := run(*tags, *proxy); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(tags bool, proxy string) error {
	if tags == (proxy != "") {
		return errors.New("pass either -tags or -proxy DIR")
	}
	top, err := exec.Command("git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return fmt.Errorf("find the repository: %w", err)
	}
	repository := strings.TrimSpace(string(top))
	version, err := versionOf(repository)
	if err != nil {
		return err
	}
	modules, err := readModules(repository, version)
	if err != nil {
		return err
	}
	for _, m := range modules {
		if tags {
			fmt.Println(strings.TrimPrefix(m.dir+"/"+version, "/"))
			continue
		}
		if err := pack(repository, proxy, version, m); err != nil {
			return fmt.Errorf("pack %s: %w", m.path, err)
		}
	}
	return nil
}

// versionOf returns the version that the SDK reports in its User-Agent.
func versionOf(repository string) (string, error) {
	source, err := os.ReadFile(filepath.Join(repository, "options.go"))
	if err != nil {
		return "", err
	}
	found := regexp.MustCompile(`(?m)^const Version = "(.+)"$`).FindSubmatch(source)
	if found == nil {
		return "", errors.New("options.go has no const Version")
	}
	version := "v" + string(found[1])
	return version, module.CheckPathMajor(version, "")
}

// readModules returns the released modules. A module comes after the modules that it requires.
func readModules(repository, version string) ([]releasedModule, error) {
	out, err := exec.Command("git", "-C", repository, "ls-files", "go.mod", "*/go.mod").Output()
	if err != nil {
		return nil, err
	}
	var modules []releasedModule
	for name := range strings.Lines(string(out)) {
		name = strings.TrimSpace(name)
		dir := filepath.ToSlash(filepath.Dir(name))
		if dir == "." {
			dir = ""
		}
		if slices.Contains(unreleased, dir) {
			continue
		}
		m, err := readModule(repository, dir, version)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		modules = append(modules, m)
	}
	return inOrder(modules)
}

func readModule(repository, dir, version string) (releasedModule, error) {
	name := filepath.Join(repository, filepath.FromSlash(dir), "go.mod")
	data, err := os.ReadFile(name)
	if err != nil {
		return releasedModule{}, err
	}
	parsed, err := modfile.Parse(name, data, nil)
	if err != nil {
		return releasedModule{}, err
	}
	m := releasedModule{path: parsed.Module.Mod.Path, dir: dir, file: data}
	if want := strings.TrimSuffix(root+"/"+dir, "/"); m.path != want {
		return m, fmt.Errorf("the module path must be %s, got %s", want, m.path)
	}
	for _, r := range parsed.Require {
		if r.Mod.Path != root && !strings.HasPrefix(r.Mod.Path, root+"/") {
			continue
		}
		if r.Mod.Version != version {
			return m, fmt.Errorf("it requires %s %s, which must be %s", r.Mod.Path, r.Mod.Version, version)
		}
		m.requires = append(m.requires, r.Mod.Path)
	}
	return m, nil
}

// inOrder sorts modules so that each comes after those that it requires.
func inOrder(modules []releasedModule) ([]releasedModule, error) {
	var out []releasedModule
	for len(out) < len(modules) {
		before := len(out)
		for _, m := range modules {
			done := func(path string) bool {
				return slices.ContainsFunc(out, func(o releasedModule) bool { return o.path == path })
			}
			if !done(m.path) && !slices.ContainsFunc(m.requires, func(path string) bool { return !done(path) }) {
				out = append(out, m)
			}
		}
		if len(out) == before {
			return nil, errors.New("the modules require each other in a circle, or a module that is not here")
		}
	}
	return out, nil
}

// pack writes the four files that a module proxy serves for a version.
func pack(repository, proxy, version string, m releasedModule) (err error) {
	dir := filepath.Join(proxy, filepath.FromSlash(m.path), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	info, err := json.Marshal(map[string]any{"Version": version, "Time": time.Unix(0, 0).UTC()})
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{"list": []byte(version + "\n"), version + ".info": info, version + ".mod": m.file} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	archive, err := os.Create(filepath.Join(dir, version+".zip"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, archive.Close()) }()
	return zip.CreateFromVCS(archive, module.Version{Path: m.path, Version: version}, repository, "HEAD", m.dir)
}
