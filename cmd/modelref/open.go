// open: the page of a model in a browser.

package main

import (
	"context"
	"fmt"
	"net/url"
	"os/exec"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/haidra-org/modelref"
)

func newOpen(a *app) *cobra.Command {
	var show bool
	cmd := &cobra.Command{
		Use:   "open [CATEGORY] NAME",
		Short: "Open the page of a model in a browser",
		Long: `Open the page of a model in a browser: the homepage in its record, or else the page at Hugging Face that its files
belong to. The name is found as get finds it.`,
		Example: `  modelref open text Mistral-Nemo-Instruct
  modelref open 'AlbedoBase XL (SDXL)' --print`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: a.completeCategoryAndName,
	}
	cmd.Flags().BoolVar(&show, "print", false, "print the URL, and open nothing")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		page, err := a.page(cmd.Context(), args)
		if err != nil {
			return err
		}
		if !show {
			if err := openBrowser(cmd.Context(), page); err == nil {
				return nil
			}
			a.notef("no browser could be started")
		}
		_, err = fmt.Fprintln(a.stdout, page)
		return err
	}
	return cmd
}

// page returns the URL of the page of a model.
func (a *app) page(ctx context.Context, args []string) (string, error) {
	categories, name, err := recordArgs(args)
	if err != nil {
		return "", err
	}
	client, err := a.client()
	if err != nil {
		return "", err
	}
	category, name, err := a.locate(ctx, client, categories, name)
	if err != nil {
		return "", err
	}
	k, err := kindOf(string(category))
	if err != nil {
		return "", err
	}
	found, err := k.answer(ctx, client, selection{limit: -1})
	if err != nil {
		return "", err
	}
	r, _ := rowNamed(found.rows, name) // the zero row has no page
	if page := webPage(r.homepage()); page != "" {
		return page, nil
	}
	if r.full != nil {
		files, err := filesOfRow(r)
		if err != nil {
			return "", err
		}
		for i := range files {
			if page := hostPage(files[i].FileURL); page != "" {
				return page, nil
			}
		}
	}
	return "", fmt.Errorf("%s: the page of %q: %w: the record has no homepage", category, name, modelref.ErrNotFound)
}

// webPage returns a URL if a browser may open it, or "". It comes from the network.
func webPage(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.ContainsFunc(text, hidden) {
		return ""
	}
	return u.String()
}

// hostPage returns the page that a file at Hugging Face belongs to, or "".
func hostPage(file string) string {
	u, err := url.Parse(file)
	if err != nil || u.Scheme != "https" || u.Host != "huggingface.co" {
		return ""
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) < 3 {
		return ""
	}
	return (&url.URL{Scheme: "https", Host: u.Host, Path: "/" + parts[0] + "/" + parts[1]}).String()
}

// openBrowser starts the program of the system that opens URLs.
func openBrowser(ctx context.Context, page string) error {
	switch runtime.GOOS {
	case "windows":
		return exec.CommandContext(ctx, "rundll32", "url.dll,FileProtocolHandler", page).Run() //nolint:gosec // a checked URL
	case "darwin":
		return exec.CommandContext(ctx, "open", page).Run() //nolint:gosec // a checked URL
	default:
		return exec.CommandContext(ctx, "xdg-open", page).Run() //nolint:gosec // a checked URL
	}
}
