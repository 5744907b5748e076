internal import EventModel
internal import MillraceBus

extension OpenAPI {
    /// The domains' own paths, each with all its methods.
    var routes: [(String, String)] {
        let all = domains.flatMap { domain in domain.routes.map { (domain: domain, route: $0) } }
        var templates: [String] = []
        for (_, route) in all where !templates.contains(route.template) { templates.append(route.template) }
        return templates.map { template in
            let methods = all.filter { $0.route.template == template }.map { domain, route in
                (route.method.rawValue.lowercased(), operation(of: route, in: domain))
            }
            return (template, object(methods))
        }
    }

    private func operation(of route: Route, in domain: Domain) -> String {
        let variables = route.pieces.compactMap { piece -> String? in
            guard case .variable(let name) = piece else { return nil }
            return object([
                ("name", JSON.string(name)), ("in", JSON.string("path")), ("required", "true"),
                ("schema", #"{"type":"string","minLength":1}"#),
            ])
        }
        let own = route.parameters.map { parameter($0.name, $0.about, schema(of: $0), required: $0.required) }
        let replies = route.replies.map { reply in
            let content = reply.type.map { type in
                // The gateway may refuse with the same status before the route is asked.
                let refusal = reply.status >= 400 && type != Problem.mediaType ? [Problem.mediaType] : []
                return [("content", object(([type] + refusal).map { ($0, object([("schema", shape(of: $0))])) }))]
            }
            return (reply.status, object([("description", JSON.string(reply.about))] + (content ?? [])))
        }
        let errors = [400, 404, 413, 415, 421, 429, 500, 503] + (route.isOpen ? [] : [401, 403]) + [409, 410]
        let others = errors.filter { code in !route.replies.contains { $0.status == code } }.map { code in
            (code, reference("responses", "Problem\(code)"))
        }
        let answers = (replies + others).sorted { $0.0 < $1.0 }.map { (String($0.0), $0.1) }
        let grant = Access.Grant(Scope(route.scope), in: domain.name)
        return object(
            [
                ("operationId", JSON.string("\(route.method.rawValue.lowercased())_\(route.template)")),
                ("tags", JSON.array([JSON.string(domain.name)])), ("summary", JSON.string(route.about)),
            ] + (variables + own).list("parameters") + body(of: route) + [
                ("responses", object(answers)), ("security", route.isOpen ? "[]" : security(grant)),
            ])
    }

    private func shape(of type: String) -> String {
        switch type {
        case MediaType.json.rawValue: "{}"
        case Problem.mediaType: reference("schemas", "Problem")
        default: #"{"type":"string"}"#
        }
    }

    private func body(of route: Route) -> [(String, String)] {
        if route.bodies.isEmpty { return [] }
        let content = route.bodies.map { ($0.rawValue, #"{"schema":{"type":"object"}}"#) }
        return [("requestBody", object([("content", object(content))]))]
    }
}

extension [String] {
    /// A member that is left out where there is nothing.
    fileprivate func list(_ name: String) -> [(String, String)] { isEmpty ? [] : [(name, JSON.array(self))] }
}
