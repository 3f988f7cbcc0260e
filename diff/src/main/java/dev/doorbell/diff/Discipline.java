package dev.doorbell.diff;

import java.util.List;

/// How one kind of hardware is tested.
interface Discipline {
  /// {@return a scenario of its own, the same for the same seed}
  ///
  /// @param steps about how many steps follow the set-up
  List<Step> generate(long seed, int steps);

  /// {@return whether the machines must be reset after a scenario before the next one}
  default boolean wantsReset(Scenario scenario) {
    return false;
  }

  /// {@return a comparison of two machines, which may be in any state that earlier scenarios left}
  ///
  /// @param pace how long a comparison may wait
  Trial begin(ModelRig model, Rig other, Pace pace);

  /// {@return the paces that a scenario is run at: the next one only where the one before showed a difference}
  List<Pace> paces();
}
