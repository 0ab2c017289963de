using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;

namespace Sandbox.Abi.Tests;

/// <summary>Claims about numbers, found in two ways: by their C name in an Abi namespace, and by the C name in the comment behind a constant.</summary>
internal static partial class ConstantClaims
{
    /// <summary>Constants and enum members of Abi types. Those of a type named Young*, here and below, are asked only where the header knows them.</summary>
    internal static IEnumerable<AbiClaim> ByName(IEnumerable<Type> types) =>
        from type in types
        from field in Literals(type)
        let value = Convert.ToString(field.GetRawConstantValue(), CultureInfo.InvariantCulture)
        select new AbiClaim($"{field.Name} == {value}", $"{type.FullName}.{field.Name}", IsYoung(type) ? field.Name : null);

    /// <summary><c>const int ListBacklog = 0x10; // SOMAXCONN</c>: both expressions are C as they stand.</summary>
    internal static IEnumerable<AbiClaim> ByComment(string folder)
    {
        HashSet<string> young = [.. Rooms.AbiTypes.Where(IsYoung).SelectMany(Literals).Select(field => field.Name)];
        foreach (string path in Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories).Where(path => !path.Contains("/obj/", StringComparison.Ordinal)))
        {
            foreach (Match match in Commented().Matches(File.ReadAllText(path)))
            {
                string theirs = match.Groups["theirs"].Value.Trim();
                string first = FirstName().Match(theirs).Value;
                yield return new AbiClaim($"({match.Groups["ours"].Value.Replace("_", "", StringComparison.Ordinal)}) == ({theirs})", $"{Path.GetFileName(path)}: {match.Groups["name"].Value}", young.Contains(first) ? first : null);
            }
        }
    }

    private static IEnumerable<FieldInfo> Literals(Type type) =>
        type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic).Where(field => field.IsLiteral && field.GetRawConstantValue() is not string);

    private static bool IsYoung(Type type) => type.Name.StartsWith("Young", StringComparison.Ordinal);

    // The name, the literal expression, and names in capitals with an underscore up to the first punctuation. IA32_*: registers of the processor, in no header.
    [GeneratedRegex(@"const \w+ (?<name>\w+) = (?<ours>[-0-9A-Fa-fxXuUlL_ |<()]+); // (?<theirs>(?!IA32_)[A-Z][A-Z0-9]*_[A-Z0-9_]+( \| [A-Z][A-Z0-9_]+)*)(?=[,.:;\r\n(]| \()")]
    private static partial Regex Commented();

    [GeneratedRegex("^[A-Z0-9_]+")]
    private static partial Regex FirstName();
}
