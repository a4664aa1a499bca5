#include "train/run/run_pictures.hpp"

#include <utility>

#include "show/draw/gallery.hpp"
#include "show/report/report.hpp"
#include "train/run/picture_schedule.hpp"

namespace graphrun::train {

namespace fs = std::filesystem;

RunPictures::RunPictures(Learner& learner, show::Source source, const RunDirectory& directory, RunLog& log)
    : learner_(learner),
      source_(std::move(source)),
      directory_(directory),
      log_(log),
      until_now_(pictures_until(learner.state().epoch, train_of(learner.model()).pictures_every)) {}

bool RunPictures::is_due(const StageView& stage, const EpochSummary& report, bool last) {
  const std::uint64_t until = pictures_until(report.state.epoch, train_of(learner_.model()).pictures_every);
  const bool by_schedule = until > std::exchange(until_now_, until);
  const bool phase_ends =
      (last || report.state.ended) && stage.stage.draw + 1 == static_cast<std::uint64_t>(stage.phase.draws);
  return by_schedule || phase_ends;
}

void RunPictures::draw() {
  const fs::path file = show::draw_progress(learner_, source_, directory_.images());
  if (file.empty()) return;
  last_ = file;
  log_.picture(learner_.state().step, file);
}

void RunPictures::finish() {
  const show::Gallery gallery = show::draw_gallery(learner_, source_, directory_.images());
  for (const fs::path& file : gallery.files)
    if (tag_of(file) != tag_of(last_)) log_.picture(learner_.state().step, file);  // else drawn at this step
  // The text of a page takes some megabytes more than once, and of the workspace little is used for it.
  learner_.session().give_back_workspace();
  show::write_report(learner_, source_, directory_.report());
}

}  // namespace graphrun::train
