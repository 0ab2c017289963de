namespace Sandbox;

/// <summary>A command to run in a guest.</summary>
public sealed class ExecOptions
{
    /// <summary>The command and its arguments; the command is looked up in the PATH of the new process when it has no slash. Not empty; no entry may hold a NUL.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>
    /// Variables of the new process, which inherits none from the host. PATH, HOME and USER get the usual values for root unless they are
    /// given here. Names are not empty and hold neither '=' nor NUL.
    /// </summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>An absolute path in the guest where the command starts. Default: "/".</summary>
    public string WorkingDirectory { get; init; } = "/";

    /// <summary>False: the command reads end of file from its standard input at once. Default: true.</summary>
    public bool WithStandardInput { get; init; } = true;

    /// <summary>
    /// Not null: the command controls a terminal of this size in the guest, and its three streams are that terminal. Everything it writes is then in the
    /// standard output. Default: null.
    /// </summary>
    public TerminalSize? Terminal { get; init; }
}
