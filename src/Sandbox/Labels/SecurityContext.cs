namespace Sandbox.Labels;

/// <summary>An SELinux label in its four parts: user:role:type:level. The level may hold colons.</summary>
internal readonly struct SecurityContext(string user, string role, string type, string level)
{
    public string User { get; } = user;

    public string Role { get; } = role;

    public string Type { get; } = type;

    public string Level { get; } = level;

    /// <summary>What everything has that no sandbox has to itself.</summary>
    public const string PlainLevel = "s0";

    public static bool TryParse(string text, out SecurityContext context)
    {
        string[] parts = text.TrimEnd('\0', '\n').Split(':', 4);
        context = parts.Length == 4 && Array.TrueForAll(parts, static part => part.Length > 0) ? new SecurityContext(parts[0], parts[1], parts[2], parts[3]) : default;
        return context.Type is not null;
    }

    /// <summary>True when the level is "s0:cA,cB", whose pair it gives.</summary>
    public bool TryGetPair(out CategoryPair pair)
    {
        pair = default;
        return Level is { } level && level.StartsWith(PlainLevel + ":", StringComparison.Ordinal) && CategoryPair.TryParse(level.AsSpan(PlainLevel.Length + 1), out pair);
    }

    public override string ToString() => $"{User}:{Role}:{Type}:{Level}";
}
