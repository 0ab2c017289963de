using Sandbox.Fuzz.Commands;

namespace Sandbox.Fuzz;

/// <summary>The command line: see Usage.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        try
        {
            return arguments switch
            {
                ["list"] => RunCommand.List(),
                ["run", string target, .. string[] options] => RunCommand.Run(target, new CommandOptions(options)),
                ["all", .. string[] options] => RunCommand.All(new CommandOptions(options)),
                ["replay", string target, .. string[] paths] => RunCommand.Replay(target, paths),
                ["mutants", .. string[] options] => MutantsCommand.Run(new CommandOptions(options)),
                ["vhost-user", .. string[] options] => VhostUserCommand.Run(new CommandOptions(options)),
                ["dictionary", string target] => DictionaryCommand.Print(target),
                ["minimise", string target, string folder] => RunCommand.Minimise(target, folder),
                _ => Usage(),
            };
        }
        catch (ArgumentException wrong)
        {
            Console.Error.WriteLine($"sandbox-fuzz: {wrong.Message}");
            return 2;
        }
    }

    private static int Usage()
    {
        Console.Error.WriteLine(
            """
            usage: sandbox-fuzz list
                   sandbox-fuzz run TARGET [--time SECONDS] [--execs N] [--seed N] [--corpus DIR] [--save DIR] [--findings DIR]
                   sandbox-fuzz all [the same; the time is spread over all targets]
                   sandbox-fuzz replay TARGET FILE|DIR...
                   sandbox-fuzz minimise TARGET DIR
                   sandbox-fuzz dictionary TARGET                       in the form that AFL++ and libFuzzer read
                   sandbox-fuzz mutants [--only 01,02] [--seed N]        from the root of a built clone
                   sandbox-fuzz vhost-user --socket PATH|--exec SANDBOX-DEVICE --device blk|rng|balloon|vsock [--time SECONDS] [--seed N] [--replay FILE|DIR]
            exit codes: 0 nothing found, 1 a finding, 2 wrong usage, 3 a hang
            """);
        return 2;
    }
}
