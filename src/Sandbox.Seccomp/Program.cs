using Sandbox.Seccomp;

// sandbox-seccomp SECCOMP_DIR OUTPUT.cs NAMESPACE CLASS [NAME=POLICY...]; without policies: the names of the system calls
if (args.Length < 4)
{
    Console.Error.WriteLine("usage: sandbox-seccomp SECCOMP_DIR OUTPUT.cs NAMESPACE CLASS [NAME=POLICY...]");
    return 2;
}

try
{
    string Read(string name) => File.ReadAllText(Path.Combine(args[0], name));
    NameTable syscalls = new("syscalls.txt", Read("syscalls.txt"));
    PolicyParser parser = new(syscalls, new NameTable("constants.txt", Read("constants.txt")), Read);
    List<FilterSource.Filter> filters = [];
    foreach (string pair in args[4..])
    {
        string[] parts = pair.Split('=');
        IReadOnlyList<SyscallRule> rules = parser.Parse(parts[1]);
        filters.Add(new(parts[0], parts[1], FilterCompiler.Compile(rules, SeccompAction.KillProcess), rules.Count));
    }

    string text = filters.Count == 0 ? FilterSource.WriteNames(args[2], args[3], syscalls) : FilterSource.Write(args[2], args[3], filters);
    // Unchanged content keeps its time, so that nothing is built again.
    if (!File.Exists(args[1]) || File.ReadAllText(args[1]) != text)
    {
        File.WriteAllText(args[1], text);
    }

    return 0;
}
catch (Exception error) when (error is PolicyException or ArgumentException or IOException)
{
    Console.Error.WriteLine($"sandbox-seccomp: error: {error.Message}");
    return 1;
}
