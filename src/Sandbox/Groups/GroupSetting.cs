namespace Sandbox.Groups;

/// <summary>One line to write into a file of a control group.</summary>
internal sealed class GroupSetting(GroupController controller, string file, string value, bool mayLack = false)
{
    public GroupController Controller => controller;

    /// <summary>The file's name.</summary>
    public string File => file;

    public string Value => value;

    /// <summary>Whether a kernel without the file is as good: an addition to a limit, not the limit.</summary>
    public bool MayLack => mayLack;
}
