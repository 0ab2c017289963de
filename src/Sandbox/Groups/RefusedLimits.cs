namespace Sandbox.Groups;

/// <summary>Which controllers do not hold their limits, and why.</summary>
internal sealed class RefusedLimits
{
    private readonly List<Entry> _entries = [];

    public bool Has(GroupController controller) => _entries.Exists(entry => entry.Controller == controller);

    /// <summary>The first reason stays.</summary>
    public void Add(GroupController controller, string reason)
    {
        if (!Has(controller))
        {
            _entries.Add(new Entry(controller, reason));
        }
    }

    /// <summary>The line for the first that fulfils a condition; null when none does.</summary>
    public string? LineForFirst(Predicate<GroupController> condition) =>
        _entries.Find(entry => condition(entry.Controller)) is { } found ? $"the limit for {found.Controller.Words} is not held: {found.Reason}" : null;

    /// <summary>A line for each reason: most often there is one for all.</summary>
    public List<string> Lines()
    {
        List<string> lines = [];
        for (int index = 0; index < _entries.Count; index++)
        {
            string reason = _entries[index].Reason;
            if (_entries.FindIndex(entry => entry.Reason == reason) == index)
            {
                lines.Add($"no limit is held for {string.Join(", ", _entries.FindAll(entry => entry.Reason == reason).ConvertAll(static entry => entry.Controller.Words))}: {reason}");
            }
        }

        return lines;
    }

    private sealed class Entry(GroupController controller, string reason)
    {
        public GroupController Controller { get; } = controller;

        public string Reason { get; } = reason;
    }
}
