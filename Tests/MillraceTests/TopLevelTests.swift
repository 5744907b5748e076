import EventModel
import Foundation
import Testing

@testable import MillraceApp
@testable import MillraceBus

/// What is found at the top of a line is what a whole parser finds there.
struct TopLevelTests {
    private func top(_ text: String) -> TopLevel? { TopLevel(Array(text.utf8)[...]) }

    @Test(arguments: [
        #"{}"#, #" { "a" : 1 } "#, #"{"a":1,"b":[1,{"a":2}],"c":{"a":"}","b":"\""},"d":"x,y:z","e":null}"#,
        #"{"a":"\\","b":-1.5e3,"c":20}"#, #"{"a":[],"b":{},"ü":"ö"}"#,
    ])
    func `members are as a whole parser reads them`(_ text: String) throws {
        let line = try #require(top(text))
        let whole = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? NSDictionary)
        var again: [String: Any] = [:]
        for member in line.members {
            let value = try JSONSerialization.jsonObject(with: Data(member.value), options: .fragmentsAllowed)
            again[String(decoding: member.name, as: UTF8.self)] = value
        }
        #expect(whole.isEqual(to: again))
    }

    @Test(arguments: [
        "", " ", "1", "[1]", "{", #"{"a""#, #"{"a":"#, #"{"a":1"#, #"{"a":1}x"#, #"{"a":1 "b":2}"#, #"{"a":1,}"#,
        #"{,"a":1}"#, #"{"a" 1}"#, #"{"a":"x}"#, #"{"a":[1}"#, #"{a:1}"#,
    ])
    func `what is no object has no members`(_ text: String) {
        // A bracket of the wrong kind is left to the whole parser, which is given the same bytes.
        #expect(top(text) == nil || (try? JSONSerialization.jsonObject(with: Data(text.utf8))) == nil)
    }

    @Test func `an object without one member keeps the others as they were written`() throws {
        let line = try #require(top(#"{"site": "a\"b", "@time":17 ,"path":"/"}"#))
        let time = try #require(line["@time"])
        #expect(time.number?.integer == "17")
        #expect(String(decoding: line.without([time]), as: UTF8.self) == #"{"site": "a\"b","path":"/"}"#)
    }
}
