package dev.doorbell.diff;

import dev.doorbell.bus.PhysicalMemory;
import java.util.List;

/// How one kind of hardware is tested.
///
/// @param <M> the machine of models
interface Discipline<M extends Rig> {
  /// {@return a scenario of its own, the same for the same seed}
  ///
  /// @param steps about how many steps follow the set-up
  List<Step> generate(long seed, int steps);

  /// {@return how many words a command has; 0 where there are none}
  int commandWords();

  /// Makes memory the same before a scenario on machines that were reset.
  void clear(PhysicalMemory memory);

  /// {@return whether the machines must be reset after a scenario before the next one}
  default boolean wantsReset(Scenario scenario) {
    return false;
  }

  /// {@return a comparison of two machines, which may be in any state that earlier scenarios left}
  ///
  /// @param pace how long a comparison may wait
  Trial begin(M model, Rig other, Pace pace);

  /// {@return the paces that a scenario is run at: the next one only where the one before showed a difference}
  List<Pace> paces();
}
