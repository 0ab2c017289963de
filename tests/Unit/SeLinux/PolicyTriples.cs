using System.Text.RegularExpressions;

namespace Sandbox.Unit.Tests.SeLinux;

/// <summary>What a type may do, as triples of (type, class, permission), with every attribute spelled out.</summary>
internal static partial class PolicyTriples
{
    private static readonly Lazy<Dictionary<string, string[]>> Attributes = new(ReadAttributes);

    public static HashSet<(string Type, string Class, string Permission)> Of(string source)
    {
        HashSet<(string, string, string)> triples = [];
        foreach (Match rule in Rule().Matches(PolicyTool.Run("sesearch", "-A", "-s", source, PolicyTool.Policy)))
        {
            foreach (string target in Expand(rule.Groups["target"].Value, source))
            {
                foreach (string permission in rule.Groups["permissions"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                {
                    triples.Add((target, rule.Groups["class"].Value, permission));
                }
            }
        }

        return triples;
    }

    /// <summary>The attributes that a type has.</summary>
    public static IEnumerable<string> AttributesOf(string type) => Attributes.Value.Where(pair => pair.Value.Contains(type)).Select(pair => pair.Key);

    private static string[] Expand(string target, string source) =>
        target == "self" ? [source] : Attributes.Value.TryGetValue(target, out string[]? types) ? types : [target];

    private static Dictionary<string, string[]> ReadAttributes()
    {
        Dictionary<string, string[]> attributes = [];
        foreach (Match attribute in Attribute().Matches(PolicyTool.Run("seinfo", "-a", "-x", PolicyTool.Policy)))
        {
            attributes[attribute.Groups["name"].Value] = attribute.Groups["types"].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        }

        return attributes;
    }

    [GeneratedRegex(@"^allow (?<source>\w+) (?<target>\w+):(?<class>\w+) \{?(?<permissions>[^;}]+)\}?;", RegexOptions.Multiline)]
    private static partial Regex Rule();

    [GeneratedRegex(@"^ *attribute (?<name>\w+);\n(?<types>(?:\t\w+\n)*)", RegexOptions.Multiline)]
    private static partial Regex Attribute();
}
