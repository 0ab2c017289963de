using Sandbox.Lab.Machine;
using Sandbox.Lab.Tool;

// lab run [--cpus N] [--memory MB] [--timeout S] [--kernel-words WORDS] [--] CMD...    boot, run one command, end
// lab start [--cpus N] ... / lab exec [--timeout S] [--] CMD... / lab stop              one machine, many commands
// lab agent DEVICE                                                                     inside the lab host
return args switch
{
    ["agent", string device] => new Agent(device).Serve(),
    ["run" or "start" or "exec" or "stop", ..] => CommandLine.Run(args),
    _ => CommandLine.Usage(),
};
