package serve

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"sama/serve/api"
	"sama/serve/store"
)

// maxWebhooks is how many webhooks a client may have.
const maxWebhooks = 20

// ListWebhooks answers GET /v1/webhooks.
func (s *Server) ListWebhooks(ctx context.Context, _ api.ListWebhooksRequestObject) (api.ListWebhooksResponseObject, error) {
	list, err := s.Store.Webhooks(ctx, seenOf(ctx).client.Name)
	if err != nil {
		return nil, stateProblem(err)
	}
	out := api.ListWebhooks200JSONResponse{Webhooks: make([]api.Webhook, len(list))}
	for i := range list {
		out.Webhooks[i] = webhookOf(&list[i])
	}
	return out, nil
}

// AddWebhook answers POST /v1/webhooks.
func (s *Server) AddWebhook(ctx context.Context, q api.AddWebhookRequestObject) (api.AddWebhookResponseObject, error) {
	if err := checkPort(q.Body.Url); err != nil {
		return nil, err
	}
	client := seenOf(ctx).client.Name
	list, err := s.Store.Webhooks(ctx, client)
	if err != nil {
		return nil, stateProblem(err)
	}
	if len(list) >= maxWebhooks {
		return nil, refuse("conflict", fmt.Sprintf("this client has %d webhooks already; end one", maxWebhooks))
	}
	head, err := s.Store.FeedHead(ctx)
	if err != nil {
		return nil, stateProblem(err)
	}
	w := store.Webhook{Client: client, URL: q.Body.Url, Secret: make([]byte, 32), Place: store.Place{Seq: head}}
	for _, k := range or(q.Body.Kinds) {
		w.Kinds = append(w.Kinds, string(k))
	}
	s.random.Lock()
	_, err = io.ReadFull(s.Random, w.Secret)
	s.random.Unlock()
	if err != nil {
		return nil, err
	}
	if w, err = s.Store.AddWebhook(ctx, w); err != nil {
		return nil, stateProblem(err)
	}
	return api.AddWebhook201JSONResponse{Webhook: webhookOf(&w), Secret: "whsec_" + base64.StdEncoding.EncodeToString(w.Secret)}, nil
}

// checkPort refuses a port that there is not; the contract bounds its digits only.
func checkPort(text string) error {
	u, err := url.Parse(text)
	if err == nil && u.Port() != "" {
		_, err = strconv.ParseUint(u.Port(), 10, 16)
	}
	if err != nil {
		return &problem{code: "unprocessable", detail: "the port of the URL is none; want 1 to 65535", places: []api.ProblemPlace{{Place: "/url", Reason: "there is no such port"}}}
	}
	return nil
}

// GetWebhook answers GET /v1/webhooks/{webhook_id}.
func (s *Server) GetWebhook(ctx context.Context, q api.GetWebhookRequestObject) (api.GetWebhookResponseObject, error) {
	list, err := s.Store.Webhooks(ctx, seenOf(ctx).client.Name)
	if err != nil {
		return nil, stateProblem(err)
	}
	for i := range list {
		if webhookID(list[i].ID) == q.WebhookId {
			return api.GetWebhook200JSONResponse(webhookOf(&list[i])), nil
		}
	}
	return nil, errNoWebhook
}

// errNoWebhook also stands for webhooks of other clients.
var errNoWebhook = refuse("not_found", "this client has no such webhook")

// DeleteWebhook answers DELETE /v1/webhooks/{webhook_id}.
func (s *Server) DeleteWebhook(ctx context.Context, q api.DeleteWebhookRequestObject) (api.DeleteWebhookResponseObject, error) {
	id, err := parseWebhookID(q.WebhookId)
	if err != nil {
		return nil, err
	}
	if err := s.Store.RemoveWebhook(ctx, seenOf(ctx).client.Name, id); err != nil {
		return nil, noWebhook(err)
	}
	return api.DeleteWebhook204Response{}, nil
}

// EnableWebhook answers POST /v1/webhooks/{webhook_id}/enable.
func (s *Server) EnableWebhook(ctx context.Context, q api.EnableWebhookRequestObject) (api.EnableWebhookResponseObject, error) {
	id, err := parseWebhookID(q.WebhookId)
	if err != nil {
		return nil, err
	}
	w, err := s.Store.SetWebhook(ctx, seenOf(ctx).client.Name, id, store.WebhookActive)
	if err != nil {
		return nil, noWebhook(err)
	}
	return api.EnableWebhook200JSONResponse(webhookOf(&w)), nil
}

func noWebhook(err error) error {
	var none *store.NoWebhookError
	if errors.As(err, &none) {
		return errNoWebhook
	}
	return stateProblem(err)
}

func webhookID(id int64) string { return "wh_" + strconv.FormatInt(id, 10) }

func parseWebhookID(text string) (int64, error) {
	id, err := strconv.ParseInt(strings.TrimPrefix(text, "wh_"), 10, 64)
	if err != nil || webhookID(id) != text {
		return 0, errNoWebhook
	}
	return id, nil
}

// webhookOf is a webhook as the contract has it, without its secret.
func webhookOf(w *store.Webhook) api.Webhook {
	out := api.Webhook{
		WebhookId: webhookID(w.ID), Url: w.URL, Kinds: make([]api.ChangeKind, len(w.Kinds)), State: api.WebhookState(w.State),
		Cursor: cursorOf(w.Place), Failures: int(w.Failures), FailingSince: timeOf(w.Failing),
	}
	for i, k := range w.Kinds {
		out.Kinds[i] = api.ChangeKind(k)
	}
	if w.Failures > 0 && w.State == store.WebhookActive {
		out.NextAttempt = timeOf(w.NextAttempt)
	}
	if w.Failure != "" {
		out.LastProblem = &w.Failure
	}
	return out
}
