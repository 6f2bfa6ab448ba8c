package auth

import "net/http"

// CheckSecret says whether a password belongs to the hash in a line of htpasswd.
func CheckSecret(password, hash string) bool {
	request := &http.Request{Header: http.Header{}}
	request.SetBasicAuth("user", password)
	known := BasicAuth{Secrets: func(string, string) string { return hash }}
	return known.CheckAuth(request) != ""
}

// RequireAuthStale asks for new credentials, and does not say that the old ones were only too old.
func (a *DigestAuth) RequireAuthStale(w http.ResponseWriter, r *http.Request) { a.RequireAuth(w, r) }
