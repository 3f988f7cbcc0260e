package dev.doorbell.doctor;

import dev.doorbell.pci.Sbdf;
import dev.doorbell.plan.Plan.Answer;
import java.util.Optional;

/// Whether one function can be assigned.
///
/// @param because the deciding fact
/// @param group its group as the kernel numbers it; empty when it has none yet or it could not be seen
/// @param driver the driver that holds it
/// @param next the commands that hand it to VFIO; empty where something blocks, or it is done
public record FunctionAnswer(
    Sbdf sbdf,
    Answer answer,
    String because,
    Optional<Integer> group,
    Optional<String> driver,
    Optional<String> next) {}
