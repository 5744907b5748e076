import Foundation

// What is learned, and how good it is: `learn suggestions|accounts|moments [DATA [FILE]]`. The same code answers the queries.
let arguments = CommandLine.arguments.dropFirst()
let data = arguments.dropFirst().first ?? "../shared/data"
switch arguments.first {
case "suggestions": try SuggestionFigures.run(data)
case "accounts": try AccountFigures.run(data, writingTo: arguments.dropFirst(2).first)
case "moments": try MomentFigures.run(data, writingTo: arguments.dropFirst(2).first)
default:
    print("usage: learn suggestions|accounts|moments [FOLDER of the data sets [FILE to write the model to]]")
    exit(64)
}
