using System.Globalization;

namespace Sandbox.Fuzz.Mutants;

/// <summary>A flaw planted in a copy of one of our files (fuzz/mutants/*.mutant): which text becomes which, and which target has to see it.</summary>
internal sealed class Mutant
{
    private readonly List<(string Find, string Replace)> _changes = [];

    private Mutant(string name) => Name = name;

    public string Name { get; }

    public string What { get; private set; } = "";

    public string Target { get; private set; } = "";

    public string Room { get; private set; } = "";

    public string File { get; private set; } = "";

    public TimeSpan Limit { get; private set; }

    /// <exception cref="ArgumentException">The file says something else.</exception>
    public static Mutant Read(string path)
    {
        Mutant mutant = new(Path.GetFileNameWithoutExtension(path));
        List<string>? section = null;
        List<string> find = [];
        List<string> replace = [];
        foreach (string line in System.IO.File.ReadAllLines(path))
        {
            switch (line)
            {
                case "--- find" or "--- end":
                    if (section is not null)
                    {
                        mutant._changes.Add((string.Join('\n', find), string.Join('\n', replace)));
                    }

                    find = [];
                    replace = [];
                    section = find;
                    break;
                case "--- replace":
                    section = replace;
                    break;
                default:
                    if (section is not null)
                    {
                        section.Add(line);
                    }
                    else
                    {
                        mutant.ReadHead(line);
                    }

                    break;
            }
        }

        return mutant._changes.Count != 0 && mutant.Target.Length != 0
            ? mutant
            : throw new ArgumentException($"{path}: no mutant");
    }

    /// <summary>The same without its flaw: what must not be found.</summary>
    public Mutant Control()
    {
        Mutant control = new(Name) { Target = Target, Room = Room, File = File, Limit = Limit };
        control._changes.AddRange(_changes.Select(change => (change.Find, change.Find)));
        return control;
    }

    /// <summary>The file with the flaw.</summary>
    /// <exception cref="ArgumentException">The text to change is not there exactly once: the code has moved on, and the mutant must follow.</exception>
    public string Apply(string text)
    {
        foreach ((string find, string replace) in _changes)
        {
            int at = text.IndexOf(find, StringComparison.Ordinal);
            if (at < 0 || text.IndexOf(find, at + 1, StringComparison.Ordinal) >= 0)
            {
                throw new ArgumentException($"mutant {Name}: its text is not exactly once in {Room}/{File}; the code has changed, so must the mutant");
            }

            text = string.Concat(text.AsSpan(0, at), replace, text.AsSpan(at + find.Length));
        }

        return text;
    }

    private void ReadHead(string line)
    {
        int colon = line.IndexOf(':', StringComparison.Ordinal);
        if (line.StartsWith("# ", StringComparison.Ordinal))
        {
            What = line[2..];
            return;
        }

        string value = colon < 0 ? "" : line[(colon + 1)..].Trim();
        switch (colon < 0 ? line : line[..colon])
        {
            case "target":
                Target = value;
                break;
            case "room":
                Room = value;
                break;
            case "file":
                File = value;
                break;
            case "limit":
                Limit = TimeSpan.FromSeconds(int.Parse(value, CultureInfo.InvariantCulture));
                break;
            default:
                throw new ArgumentException($"mutant {Name}: '{line}'");
        }
    }
}
