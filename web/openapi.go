package web

import (
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The description of the API (OpenAPI 3.0), made from the list of calls and the
// types that they take and give. It tells nothing secret, so it needs no token.

type object = map[string]any

var pathParam = regexp.MustCompile(`\{(\w+)\}`)

func (s *Server) openAPI(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	_ = e.Encode(s.describeAPI())
}

func (s *Server) describeAPI() object {
	d := describer{schemas: object{}}
	d.schemas["Problem"] = object{"type": "object", "description": "RFC 9457", "required": []string{"type", "title", "status", "detail"}, "properties": object{
		"type": object{"type": "string"}, "title": object{"type": "string"}, "status": object{"type": "integer"}, "detail": object{"type": "string"}}}
	paths := object{}
	for _, r := range s.apiList() {
		if paths[r.path] == nil {
			paths[r.path] = object{}
		}
		paths[r.path].(object)[strings.ToLower(r.method)] = d.operation(r)
	}
	hooks := d.hooks()
	server := apiBase
	if s.opt.PublicURL != "" {
		server = s.opt.PublicURL + apiBase
	}
	return object{"openapi": "3.0.3",
		"info":    object{"title": "Frontline", "version": s.opt.Version, "description": "Tickets, knowledge, alerts, data construction and figures for programs. Tokens are made in the console; calls have the rights of their owner. Customers are masked everywhere."},
		"servers": []any{object{"url": server}}, "paths": paths, "x-webhooks": hooks, "security": []any{object{"token": []string{}}},
		"components": object{"schemas": d.schemas, "securitySchemes": object{"token": object{"type": "http", "scheme": "bearer"}}}}
}

type describer struct{ schemas object }

func (d describer) operation(r apiRoute) object {
	var params []any
	for _, m := range pathParam.FindAllStringSubmatch(r.path, -1) {
		params = append(params, object{"name": m[1], "in": "path", "required": true, "description": "a number, alone or as people write it: 1042, T1042, K12", "schema": object{"type": "string", "pattern": "^[A-Za-z]?[0-9]+$"}})
	}
	for _, p := range r.query {
		schema := object{"type": p.kind}
		if p.kind == "date" {
			schema = object{"type": "string", "format": "date"}
		}
		if len(p.of) > 0 {
			schema["enum"] = p.of
		}
		params = append(params, object{"name": p.name, "in": "query", "required": p.must, "description": p.about, "schema": schema})
	}
	if r.again != "" {
		params = append(params, object{"name": r.again, "in": "header", "description": "the same call again answers with what was made first", "schema": object{"type": "string"}})
	}
	good := object{"description": "done", "content": object{"application/json": object{"schema": d.schema(reflect.TypeOf(r.out))}}}
	answers := object{"default": object{"description": "refused or failed", "content": object{"application/problem+json": object{"schema": object{"$ref": "#/components/schemas/Problem"}}}}}
	if r.status == 0 || r.again != "" {
		answers["200"] = good
	}
	if r.status != 0 {
		answers[strconv.Itoa(r.status)] = good
	}
	about := r.about
	if len(r.roles) > 0 {
		names := make([]string, len(r.roles))
		for i, role := range r.roles {
			names[i] = string(role)
		}
		about += ". Roles: " + strings.Join(names, ", ")
	}
	out := object{"operationId": operationID(r), "summary": r.about, "description": about, "responses": answers, "tags": []string{strings.Split(r.path, "/")[1]}}
	if len(params) > 0 {
		out["parameters"] = params
	}
	if r.in != nil {
		out["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": d.schema(reflect.TypeOf(r.in))}}}
	}
	return out
}

// operationID is get_tickets_number for GET /tickets/{number}.
func operationID(r apiRoute) string {
	return strings.ToLower(r.method) + strings.NewReplacer("/", "_", "{", "", "}", "").Replace(r.path)
}

var timeType = reflect.TypeFor[time.Time]()

// schema describes a type; structs are named once.
func (d describer) schema(t reflect.Type) object {
	switch {
	case t == timeType:
		return object{"type": "string", "format": "date-time"}
	case t.Kind() == reflect.Pointer:
		inner := d.schema(t.Elem())
		if _, named := inner["$ref"]; named {
			return object{"allOf": []any{inner}, "nullable": true}
		}
		inner["nullable"] = true
		return inner
	}
	switch t.Kind() {
	case reflect.Struct:
		return d.named(t)
	case reflect.Slice:
		return object{"type": "array", "items": d.schema(t.Elem()), "nullable": true}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": d.schema(t.Elem()), "nullable": true}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer", "format": "int64"}
	}
	return object{} // anything
}

func (d describer) named(t reflect.Type) object {
	name := t.Name()
	name = strings.ToUpper(name[:1]) + name[1:]
	if ref := (object{"$ref": "#/components/schemas/" + name}); d.schemas[name] != nil {
		return ref
	}
	props := object{}
	out := object{"type": "object", "properties": props, "additionalProperties": false}
	d.schemas[name] = out
	var must []string
	d.fields(t, props, &must, isBody(t))
	if len(must) > 0 {
		out["required"] = must
	}
	return object{"$ref": "#/components/schemas/" + name}
}

// fields describes the fields of a struct, and of those it embeds. Only answers
// are sure to have them all; a body may leave any out.
func (d describer) fields(t reflect.Type, props object, must *[]string, body bool) {
	for i := range t.NumField() {
		f := t.Field(i)
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case name == "-":
			continue
		case f.Anonymous && tag == "":
			d.fields(f.Type, props, must, body)
			continue
		case name == "":
			name = f.Name
		}
		props[name] = d.schema(f.Type)
		if !strings.Contains(options, "omitempty") && !body {
			*must = append(*must, name)
		}
	}
}

// isBody tells whether a type is what programs send.
func isBody(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[newAPITicket](), reflect.TypeFor[newAPIComment](), reflect.TypeFor[ticketPatch](), reflect.TypeFor[entryIn](), reflect.TypeFor[newAPIRun]():
		return true
	}
	return false
}
