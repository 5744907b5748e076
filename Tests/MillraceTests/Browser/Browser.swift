import Foundation
import TestSupport
import Testing

/// Chromium, driven over the WebDriver protocol (www.w3.org/TR/webdriver2) by plain HTTP.
final class Browser: Sendable {
    private static let places = [
        "/usr/bin/chromedriver", "/usr/lib/chromium/chromedriver", "/usr/local/bin/chromedriver",
    ]
    private static var driver: String? { places.first { FileManager.default.isExecutableFile(atPath: $0) } }
    /// Where it is missing, tests of pages are skipped.
    static var isThere: Bool { driver != nil }
    static let missing: Comment =
        "there is no chromedriver: make test installs it (apt-get install chromium chromium-driver)"

    private let process: Running
    private let port: Int
    private let session: String
    private let folder: String

    private init(_ process: Running, _ port: Int, _ session: String, _ folder: String) {
        (self.process, self.port, self.session, self.folder) = (process, port, session, folder)
    }

    /// Starts a browser without a window, which is ended with `end`.
    static func start(in folder: String) async throws -> Browser {
        let driver = try #require(driver)
        let port = Int(try FreePort.find())
        let profile = "\(folder)/browser-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: profile, withIntermediateDirectories: true)
        let process = try Running(
            driver, ["--port=\(port)", "--log-path=\(profile)/driver.log"], environment: ["HOME": profile],
            cwd: profile,
            scratch: profile)
        try await eventually("chromedriver to answer: \(process.err)", within: .seconds(300)) {
            (try? await ask("GET", port, "/status"))?["ready"] == .bool(true) ? true : nil
        }
        // Without a sandbox, for tests may be run by root, and their pages are our own.
        let arguments = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1440,900",
            "--user-data-dir=\(profile)/data", "--lang=en-GB", "--force-color-profile=srgb",
        ]
        let capabilities: [String: Any] = [
            "browserName": "chrome", "goog:loggingPrefs": ["browser": "ALL"],
            "goog:chromeOptions": ["args": arguments],
        ]
        let made = try await ask("POST", port, "/session", ["capabilities": ["alwaysMatch": capabilities]])
        return Browser(process, port, "/session/" + made["sessionId"].string, profile)
    }

    func end() async {
        _ = try? await command("DELETE", "")
        _ = try? await process.stop()
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Foundation's own client does not read chromedriver's header.
    private static func ask(_ method: String, _ port: Int, _ path: String, _ body: [String: Any]? = nil) async throws
        -> JSON
    {
        let content = try body.map { try JSONSerialization.data(withJSONObject: $0) } ?? Data()
        let head = [
            "\(method) \(path) HTTP/1.1", "Host: 127.0.0.1:\(port)", "Content-Type: application/json",
            "Content-Length: \(content.count)", "Connection: close", "", "",
        ]
        let text = head.joined(separator: "\r\n") + String(decoding: content, as: UTF8.self)
        // It blocks: it has a thread of its own.
        let answer = try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<String, any Error>) in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        let socket = try RawSocket(port: port)
                        socket.write(text)
                        return socket.readAnswer()
                    })
            }
        }
        guard let end = answer.firstRange(of: "\r\n\r\n") else {
            throw Overdue(description: "\(method) \(path): no answer: \(answer.prefix(200))")
        }
        let value = try JSON(String(answer[end.upperBound...]))["value"]
        if !value["error"].string.isEmpty {
            throw Overdue(description: "\(method) \(path): \(value["message"].string.prefix(500))")
        }
        return value
    }

    @discardableResult
    func command(_ method: String, _ path: String, _ body: [String: Any]? = nil) async throws -> JSON {
        try await Self.ask(method, port, session + path, method == "POST" ? body ?? [:] : nil)
    }

    // MARK: Pages

    func go(_ url: String) async throws { try await command("POST", "/url", ["url": url]) }

    /// What a piece of JavaScript returns.
    @discardableResult
    func run(_ script: String, _ arguments: String...) async throws -> JSON {
        try await command("POST", "/execute/sync", ["script": script, "args": arguments])
    }

    /// Waits until an expression is true.
    func wait(_ what: String, within limit: Duration = .seconds(120), _ expression: String) async throws {
        do {
            try await eventually(what, within: limit) {
                try await run("return Boolean(\(expression))") == .bool(true) ? true : nil
            }
        } catch let error as Overdue {
            let page = (try? await run("return location.href + '\\n' + document.body.innerText").string) ?? ""
            throw Overdue(description: "\(error.description)\n\(page.prefix(3000))")
        }
    }

    func text(_ selector: String) async throws -> String {
        try await run("return document.querySelector(arguments[0])?.innerText ?? ''", selector).string
    }

    private func element(_ selector: String) async throws -> String {
        let found = try await command("POST", "/element", ["using": "css selector", "value": selector])
        return try #require(found.members.values.first, "\(selector)").string
    }

    /// Clicks as a person does: what is hidden or covered cannot be.
    func click(_ selector: String) async throws {
        try await command("POST", "/element/\(try await element(selector))/click")
    }

    /// Fills a field in, in place of what it had.
    func fill(_ selector: String, _ text: String) async throws {
        let field = try await element(selector)
        try await command("POST", "/element/\(field)/clear")
        try await command("POST", "/element/\(field)/value", ["text": text])
    }

    /// Presses keys, one after another, wherever the focus is.
    func press(_ keys: String...) async throws {
        let actions = keys.flatMap { [["type": "keyDown", "value": $0], ["type": "keyUp", "value": $0]] }
        try await command(
            "POST", "/actions", ["actions": [["type": "key", "id": "keyboard", "actions": actions] as [String: Any]]])
    }

    // MARK: Windows

    var window: String { get async throws { try await command("GET", "/window").string } }

    /// Opens another window, and goes there.
    func newWindow() async throws -> String {
        let handle = try await command("POST", "/window/new", ["type": "window"])["handle"].string
        try await goTo(window: handle)
        return handle
    }

    func goTo(window: String) async throws { try await command("POST", "/window", ["handle": window]) }

    // MARK: What browsers say

    /// What the console was told since it was asked last: errors, and what a policy forbids.
    func complaints() async throws -> [String] {
        try await command("POST", "/se/log", ["type": "browser"]).array
            .filter { ["SEVERE", "WARNING"].contains($0["level"].string) }.map { $0["message"].string }
    }

    /// Looks at pages as on a screen of some width, by day or night.
    func look(width: Int, height: Int = 900, isDark: Bool = false) async throws {
        try await cdp(
            "Emulation.setEmulatedMedia",
            ["features": [["name": "prefers-color-scheme", "value": isDark ? "dark" : "light"]]])
        try await cdp(
            "Emulation.setDeviceMetricsOverride",
            ["width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500])
    }

    func picture() async throws -> Data {
        try #require(Data(base64Encoded: try await command("GET", "/screenshot").string))
    }

    @discardableResult
    private func cdp(_ name: String, _ parameters: [String: Any]) async throws -> JSON {
        try await command("POST", "/goog/cdp/execute", ["cmd": name, "params": parameters])
    }
}

/// Keys that have no character (www.w3.org/TR/webdriver2, 17.4.2).
enum Key {
    static let (tab, enter, space) = ("\u{e004}", "\u{e007}", " ")
    static let (left, up, right, down) = ("\u{e012}", "\u{e013}", "\u{e014}", "\u{e015}")
}

/// A bus that is served, and a browser to look at it, for one test.
func onPages(_ command: String = "up", _ test: (Bus, Web, Browser) async throws -> Void) async throws {
    try await onBus { bus in
        let web = try await bus.web(command)
        let browser = try await Browser.start(in: bus.folder)
        do {
            try await test(bus, web, browser)
        } catch {
            await browser.end()
            throw error
        }
        await browser.end()
    }
}
