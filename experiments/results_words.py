"""What `docs/results.md` says between its tables, and what each variant in them is."""

from __future__ import annotations

ABLATIONS = {
    "cpu": "preset `cpu`",
    "no-beside": "`model.compactness_beside=false`",
    "192x288": "the same, and pictures two thirds as large: `model.size=[192,288]`",
    "192x288-plain": "so large, and clips neither slowed nor crowded, lines on held-out frames alone: "
    "`train.slowed=0`, `train.crowd=0`",
    "192x288-12-abnormal": "12 abnormal clips a step, three quarters of them made: "
    "`train.abnormal_batch=12`, `train.pseudo_share=0.75`; the rest as `192x288-plain`",
    "192x288-no-transplant": "no known anomaly is transplanted: `train.pseudo_anomalies=[skip,paste]`; the rest as "
    "`192x288-plain`",
    "framediff": "no network",
}

TRAININGS = {
    "cpu": "`cpu`",
    "cpu-seed-2": "`cpu`",
    "no-beside": "without `compactness_beside`",
    "no-beside-seed-2": "without `compactness_beside`",
    "192x288": "the same at 192x288",
    "192x288-seed-2": "the same at 192x288",
}
"""Trainings of the preset with other seeds, and as it was before."""

NONE_KNOWN_TRAININGS = {
    "no-beside": "without `compactness_beside`",
    "192x288": "the same at 192x288",
    "192x288-plain": "so large, and clips neither slowed nor crowded, lines on held-out frames alone: "
    "`train.slowed=0`, `train.crowd=0`",
}

PLACES_JUDGED = {
    "cpu": "`cpu`",
    "no-beside": "without `compactness_beside`",
    "largest": "the same weights, heat before decision 18",
    "192x288": "without it at 192x288, heat before decision 18",
}

FPS = 10.0
"""Frames a second of Ped2, as is commonly said of it. Its files state none."""

HEAD = """# Results

Every figure here is made by `python experiments/results_page.py` from the JSON files in `experiments/results/`, and
these by the command above each table. AUC is frame level, in per cent; in brackets the 95 % interval from resampling
whole test videos. The first four frames of a video take no part.

`paper` is Eq. 12 with the weight of PSNR that a run was judged with ([decision
19](decisions/0019-psnr-weighs-little-without-a-decoder.md)): 0.1 in the tables of preset `cpu` at 240x360 and for all
that was trained with `compactness_beside`, and the 0.6 of the paper everywhere else, in the course of training without
it and for most of the variants, too.
"""

PED2 = """## UCSD Ped2, folds 0, 1 and 2 of 10

    python experiments/ped2_kfold.py PED2 --folds 0 1 2
    python experiments/ped2_kfold.py PED2 --folds 0 1 2 --detector framediff

Fold 0 makes videos 1-2 the known anomalies, fold 1 videos 3-4, fold 2 video 5; all other test videos are judged.
`framediff` has no network and nothing to train: what a detector does not add to it, its network does not add. It is
judged on the same frames. The JPEG copy of Ped2 that was used here is not the official TIFF archive, so that figures
cannot be compared with published ones to the last digit.

How the settings were chosen: learning rate, weights, update, pseudo-anomalies, and what `online` is made of, on the
synthetic set (`oddframe data synth`). Width, mirroring, the length of training and the form of the query margin come
from earlier throwaway trials on one other fold of Ped2 (videos 1 and 11 known) that were looked at with test labels.
240x360 is the size of Ped2's own frames: pictures are taken as they are. The preset took them at 192x288 before, and
was changed after networks of several smaller sizes had been judged on fold 0 ([detection against
speed](performance.md)), of which a larger one was always better; no other size beyond it was tried. The share of places
that a local component is taken over was chosen after looking at frame differences on the test videos of fold 0.
Transplanted anomalies were thought of after two folds without them had been seen to miss a slow cyclist and a
skateboarder (videos 10 and 12). In so far the figures are not blind. On synthetic video with slow cyclists (`--scale
slow`), more abnormal clips a step seemed to help, though within the spread of seeds, and they cost a quarter more time.
The preset had twelve for a while and went back to eight after fold 0 had been judged with both (below): that choice,
too, was made with test labels in sight.

Slowed and crowded clips came after a look at where the preset without them (`192x288-plain` below) fails on the test
videos of all three folds: a slow cyclist had the distance of a walker, and full scenes passed for odd. The two ideas
are thus not blind to these videos; that they help, and their shares, was decided on the synthetic sets ([decision
9](decisions/0009-clips-are-slowed-and-crowded.md)), and each fold was then trained once. The form of the lines, too,
was changed after they had been seen to fail here ([decision 10](decisions/0010-lines-hold-for-nineteen-of-twenty.md));
the networks were not trained again for it.
"""

SEEDS = """The same with another seed, and as the preset was before: AUC micro of `paper` / `online` / distance, the
mean share of normal / of abnormal test frames above the 99 % line of `online`, and labelled stretches found.

    python experiments/ped2_kfold.py PED2 --folds 0 1 2 --name cpu-seed-2 --set train.seed=2
    python experiments/ped2_kfold.py PED2 --folds 0 1 2 --name no-beside --set model.compactness_beside=false

and so on. The tables before and after this one are of the seed that presets have, which was not chosen by what it
scores. With either seed `online` passes the 97 that were aimed at, and its line keeps what was asked of it: less than 8
per cent of normal frames above it at a recall of more than 88. `compactness_beside` was chosen on the synthetic sets
alone ([decision 20](decisions/0020-the-normal-places-of-abnormal-clips.md)), before the first of these trainings was
judged; folds 1 and 2 of the preset's seed were judged before the presets were changed. What it gains here lies with the
other seed, which used to lose two points to the first, and to let three times as many normal frames through; with the
preset's own seed `online` is two tenths lower and distance five, since fold 0 loses more than fold 1 gains. On 192x288
the seed counts for more: fold 2, which has one known video where the others have two, loses five points. `paper` stays
below the 97.5 that were aimed at in each of them.
"""

PLACES = """### Are the odd places found

    oddframe eval runs/ped2-kfold-2-cpu --regions --json > experiments/results/places/ped2-kfold-2-cpu.json

Region- and track-based detection criterion (RBDC / TBDC) and AUC over pixels, in per cent, by the official masks, with
the weights of the trainings above. `online` is the heat of reports and boxes: the distances, laid on what moves
([decision 15](decisions/0015-heat-is-laid-on-what-moves.md)).

Around an anomaly the distance was as large as on it, as far as a query sees it, and the larger the picture, the farther
that is in places of the map: by itself the local distance of 240x360 found no place. Heat was the largest distance
within reach of what moves, so that whoever walked past was as hot as the cyclist. It is their mean now ([decision
18](decisions/0018-heat-is-the-mean-around.md)), and training asks that normal places beside an anomaly be near the
normality items ([decision 20](decisions/0020-the-normal-places-of-abnormal-clips.md)); both were chosen on the
synthetic set.
"""

HELD_BACK = """### What holds the figures back

![Online score of videos 9 to 12 in folds 0 and 1](images/held-back.png)

    python experiments/held_back_picture.py --videos 09 10 11 12 -- runs/ped2-kfold-0-cpu runs/ped2-kfold-1-cpu

Grey is labelled abnormal, the dashed line is the alarm line. The cyclist at walking pace (video 10) used to be missed
and is found. What is left of `online` lies in video 12, a skateboarder among walkers who is found for moments only, and
in video 11, where a cyclist at the far edge of a crowd is hidden by others for a second or two.

Of the 31 normal frames above the 99 % line of `online` in the three folds, 11 are the peak of video 12 before its
labelled stretch: a frame is missing from the video there, so that for one step everything moves twice as far. 19 lie
within sixteen frames of a labelled stretch, where the anomaly is partly in the picture already or where the mean over
three frames still holds it.

`paper` used to give PSNR a weight of 0.6, and without a decoder PSNR is that of frame differences: wherever the crowd
is as lively as the anomaly (video 1, video 12), it misleads. It is 0.1 now, chosen on the synthetic sets (below). What
is left is that Eq. 12 scales each video between its own lowest and highest score, so that in videos 8 to 11, which are
abnormal from end to end, the calmest frames count as normal whatever is seen: the 97.5 that were aimed at are missed by
some tenths.

Tried on the synthetic sets, mostly with one seed each, with code that was not kept, and without a gain beyond the
spread of seeds: transplanted anomalies at a slower pace or of other size and contrast, stretched patches, single
pictures that glide, training on parts of the picture that hold something with four times the steps, a decoder of two
convolutions on the encoder's first level; at judging, the mean with the mirrored picture (of networks trained without
mirroring), the abnormality memory beside the normality memory, blurring the map of distances, and summing it along
the most likely path of an object. With three seeds: four frames that are two apart (`online` two points lower on
`demo`), four frames of which the judged one is the last (one higher on `demo`, two lower on `slow`), and, at judging,
optical flow as a further component (two points lower on `demo`) and longer or fading means over the score's past.
With two seeds: clips that lack a frame, as the video above does, count as what they are without it (the false alarms
that missing frames bring became fewer with one seed and more with the other).
"""

SYNTHETIC = """### On synthetic video, known and unknown kinds apart

    python experiments/synthetic_trials.py --name preset --seeds 1 2 3
    python experiments/synthetic_trials.py --name no-beside --set model.compactness_beside=false
    python experiments/synthetic_trials.py --name no-beside-epochs-8 --set model.compactness_beside=false \\
        --set train.epochs=8
    python experiments/synthetic_trials.py --name 192x288 --preset cpu --seeds 1 --set model.size=[192,288] \\
        --set model.compactness_beside=false
    python experiments/synthetic_trials.py --name 160x240 --seeds 1 2 3 --set model.size=[160,240] \\
        --set model.width=16 --set model.compactness_beside=false
    python experiments/synthetic_trials.py --name 160x240-beside --seeds 1 2 3 --set model.size=[160,240] \\
        --set model.width=16
    python experiments/synthetic_trials.py --name cpu-160x240 --preset cpu --set model.size=[160,240]

Trained on `oddframe data synth --scale demo`: carts, cyclists and thrown objects are among the known anomalies;
runners, loiterers, people who lie down and who go the wrong way are met in the test alone. AUC micro of `online` /
share of frames above its 99 % line; RBDC of the heat. The line holds its promise here, about one normal frame in a
hundred. With preset `cpu`, on pictures of the sets' own size, it finds 91 % of the frames of known kinds, where 88 were
aimed at, and 59 % of the unknown ones. With `tiny`, after some minutes of training, it finds four of five and half. On
`slow` there are cyclists at walking pace alone: they are told from walkers, and with `tiny` seldom cross the line; with
`cpu` four in ten of their frames do. A training that is longer by three fifths changes none of this.

160x240 is the size of the sets' own pictures. There `model.compactness_beside` was chosen: queries of an abnormal clip
that are not at an anomaly are drawn to the normality items, which nothing asked of them before. By the mean of three
seeds the line then finds 86 % of the known kinds in place of 61, and 55 % of the unknown ones in place of 43, at the
same share of normal frames, and it finds more with each seed; AUC stays, and heat lies on the odd places a little
better. In the smaller pictures of `tiny` it tells the slow ones better, and finds 80 % of the known kinds where 83 were
found without it, less than two seeds may lie apart.
"""

TRIALS = {
    "preset": "`tiny`, 5 epochs",
    "no-beside": "without `compactness_beside`",
    "no-beside-epochs-8": "so, 8 epochs",
    "160x240": "so, at 160x240 and width 16, 5 epochs",
    "160x240-beside": "the same with it",
    "cpu-160x240": "`cpu` at 160x240, 6 epochs",
    "192x288": "`cpu` at 192x288 without it, 6 epochs",
}

PAPER_WEIGHT = """How much PSNR should weigh in Eq. 12 where nothing is predicted: AUC micro of `paper` on the synthetic
sets, mean of three trainings of preset `tiny` as it was before, by that weight.

    python experiments/synthetic_trials.py --name no-beside --seeds 1 2 3 --set model.compactness_beside=false
    python experiments/paper_weight.py runs/synthetic-no-beside-1 runs/synthetic-no-beside-2 runs/synthetic-no-beside-3
"""

COURSE = """### Over the course of training

    python experiments/training_course.py runs/NAME --json experiments/results/course/NAME.json

AUC micro of `paper` / `online` / distance with the weights of each epoch, each calibrated anew. The learning rate falls
to nothing at the last epoch. The runs of `cpu` are the trainings of the first table, `no-beside` is without
`compactness_beside`, and those of 192x288 were repeated on one core. Up to the third or fourth epoch they go up and
down by ten points and more. In the second half the distance of each fold ends where it began or above, within a point
of its best. `standard-plain` had no known anomalies, clips neither slowed nor crowded, and pictures of 192x288.
"""

NONE_KNOWN = """### Without any known anomaly

    oddframe train PED2 --out runs/ped2-standard-cpu --preset cpu --set train.keep_every=1
    oddframe train PED2 --out runs/ped2-standard-cpu-2 --preset cpu --set train.keep_every=1 --set train.seed=2
    oddframe eval runs/ped2-standard-cpu --json > experiments/results/ped2-standard-cpu.json

and so on. The way most users start: normal video and pseudo-anomalies only (protocol `standard`), all twelve test
videos judged. AUC micro, and after it the share of normal frames / of abnormal frames above the 99 % line. `motion` is
what frame differences give on the same frames without any network. The folds above are judged on fewer videos, so that
their figures do not compare with these one to one.
"""

NONE_KNOWN_OTHERS = """The preset as it was before: AUC micro of `paper` / `online` / distance, and shares above the
line of `online`.

    oddframe train PED2 --out runs/ped2-standard-no-beside --preset cpu --set model.compactness_beside=false
    oddframe train PED2 --out runs/ped2-standard-192x288 --preset cpu --set model.compactness_beside=false \\
        --set model.size=[192,288]
    oddframe train PED2 --out runs/ped2-standard-192x288-plain --preset cpu --set model.compactness_beside=false \\
        --set model.size=[192,288] --set train.slowed=0 --set train.crowd=0
"""

NONE_KNOWN_HELD_BACK = """
![Online score of videos 7, 10, 11 and 12 without known anomalies, two seeds](images/held-back-none-known.png)

    python experiments/held_back_picture.py --name held-back-none-known --videos 07 10 11 12 \\
        -- runs/ped2-standard-cpu runs/ped2-standard-cpu-2

By the mean of three seeds, and by that of the presets alone, the 94 that were aimed at are passed; one seed of three
stays below. With each seed `online` gains by `compactness_beside`, but what scores higher does not cross the line more
often: two of the seeds find six and eight per cent of the abnormal frames less than before, and one and two stretches
less. Nobody has told these networks of cyclists. The one at walking pace (video 10) is found for some four tenths of
his time with one seed and hardly at all with the other two, and that makes the difference. Where what is odd is hidden
by others or at the edge (videos 7 and 11), these networks lose it for seconds, where those of the folds lose it for
one. What is pasted and sped up seems to teach pace and edges rather than looks.
"""

COURSE_PICTURE = """
![Detection over the epochs](images/training-course.png)

    python experiments/training_picture.py experiments/results/course/ped2-*-cpu.json
"""

VARIANTS = {
    "beside": "the preset",
    "all": "without `compactness_beside`; so are all others",
    "no-slowed": "no clip is slowed down or stopped",
    "no-crowd": "no clip is crowded",
    "no-pseudo": "no pseudo-anomalies",
    "no-margin": "no query margin",
    "no-worst": "compactness of the mean alone, not of the worst places",
    "no-joint-batch": "normal and abnormal clips have batch norms of their own",
    "reseed": "dead and doubled items are put where queries are served worst",
    "decoder": "with a decoder, a third of the epochs",
    "none-known": "pseudo-anomalies in place of the known ones",
    "margin": "memories and query margin alone: no pseudo-anomalies, none slowed or crowded",
    "margin-beside": "the same, with `compactness_beside`",
    "margin-skip": "margin, with sped-up clips",
    "margin-paste": "margin, with pasted patches",
    "margin-transplant": "margin, with transplanted anomalies",
    "memories": "memories alone",
    "text-losses": "the losses of the text, with decoder and discriminator, a third of the epochs",
    "authors-losses": "the losses of the authors' code, likewise",
    "paper": "preset `paper` in this size, a third of the epochs",
    "authors": "preset `authors` in this size, likewise",
}

EQUAL_TIME = """### What each setting does, with equal time

    python experiments/ablation.py PED2 --fold 0 --seeds 1 2
    python experiments/ablation.py PED2 --fold 0 --seeds 1 --size 192x288 --only paper authors

Fold 0 at 128x192 and two thirds of the preset's width (`small`), and the paper's presets at 192x288. A step with a
decoder takes three times as long, so there are a third of the epochs. AUC micro of `paper` / `online` / distance, seed
by seed; minutes are of one core of two, beside other work. `cpu` in full is in the first table. The intervals of these
figures are some ten points wide. Some trainings ran in fp32 and some in bf16, as the processor's units had it; each
JSON names its host.

What can be said: two things count above all. One is that normal and abnormal clips share a batch, and with it the
statistics of batch norm ([decision 4](decisions/0004-normal-and-abnormal-clips-share-a-batch.md)): apart, `online`
loses fourteen points with one seed and twenty-nine with the other. The other is the query margin. With it and nothing
else, `online` gains nineteen points over the memories alone; taken away from all, it takes seventeen with it. With the
losses of the text or of the authors' code, whole presets or their losses in the preset's network, distance knows little
or nothing of what is odd in this time, and `online` stays below mere motion by fourteen points and more; whether it
would come with hours on a GPU has not been measured. Known anomalies count, too: with pseudo-anomalies in their place
`online` loses four points and ten.

What the preset adds to these is less than what a seed can do. In the mean of two seeds `all` stands before those that
leave one more thing out, and loses four points without pseudo-anomalies or without the term of the worst places, two
without crowded clips, less than one without slowed ones; but two seeds of the same settings lie up to ten points apart
(`margin-transplant`, `decoder`), and preset `live`, which is `beside` with another seed, has 90.9. Added to the margin
one by one, the kinds of pseudo-anomaly show no order. `compactness_beside` takes one point and six from `all` at this
size, and one and five from the margin alone: it was chosen on synthetic video, and gains in the preset's own size
(first tables). At 192x288, slowed and crowded clips together are worth three to six points on every fold (last table),
and on synthetic video with slow cyclists more ([decision 9](decisions/0009-clips-are-slowed-and-crowded.md)). Putting
dead items elsewhere (`reseed`) gains nothing here, and is off in every preset. With a decoder, and a third of the
steps, distance keeps its place with one seed and loses nine points with the other, and `paper` is worse with both: what
is predicted after so few steps tells less than the frame before.
"""

PAPER = """## The paper's tables, with one budget for all

    oddframe reproduce table3 PED2 --folds 0,1 --out runs/paper \\
        --set model.size=[128,192] --set model.width=16 --set train.epochs=4
    oddframe reproduce table2 PED2 --folds 0,1 --out runs/paper \\
        --set model.size=[128,192] --set model.width=16 --set train.epochs=4
    cp -r runs/paper/plan.json runs/paper/cells experiments/results/paper/

Preset `cpu` for every row, at 128x192 and two thirds of its width, and as many steps for each as for the others: four
passes over the normal clips. That is what the recurrent networks, a step of which costs ten times as much as one of the
preset's, leave to two cores in some hours; these two were trained on fold 0 alone. Both commands go on where they were
stopped, and what is not done yet has no figure. Minutes are of one core, with other trainings beside it. In Table II,
DREAM is what the preset made of it: without a decoder, so that its PSNR is that of frame differences, and as yet
without `compactness_beside`.
"""

PAPER_FOUND = """Does two memories > one > none hold? By `paper`, which is how the paper compares them, its whole order
holds on the mean of both folds: normal video alone, then discriminators, then one memory with them, then two, the only
row of the four above frame differences. What makes the difference is the prediction. With two memories it breaks down
around what is odd, as `oddframe reproduce fig7` shows, so that PSNR and local error find it. With one memory or none it
does not, and PSNR stays below that of frame differences. By `online`, which is made of distances here, two memories are
no better than one, and both are far above none. All of it is of one seed, and with other test videos the order by
`paper` might be another; that of PSNR would not:

    oddframe compare runs/paper/runs/ucsd-ped2-mem-disc-fold0 runs/paper/runs/ucsd-ped2-dual-disc-fold0 --json

What two memories gain over one, points of AUC, with the 95 % interval of the difference over test videos:
"""

PAPER_WHY = """
Normal clips alone are predicted in training, so that the decoder has never met what the second branch gives for odd
ones. How many items its memory has seems to matter little: in training one of ten takes 96 % of what updates it. None
of the networks with a decoder reaches by `online` what the preset reaches without one, in a third of their time. Table
IV, and what the memories are used for on test clips, from `oddframe reproduce table4` and `fig6`:
"""

PAPER_FOLLOWING = """
In a thousand steps, DREAM alone does better than frame differences by `online`, with the U-Net, and by distance, with
either backbone; by `paper` it leads by about one point. Of the peers, which have nothing but normal video and their
prediction, Frame-Pred comes to what frame differences reach, MNAD does so by `paper` alone, and the others stay below.
MLEP has known anomalies as well, and does not turn them to use in this time. The published figures come from trainings
that were many times longer.

MNAD's published code goes on updating its memory while it judges. Here that is an option, and each video starts anew
from the trained memory. On all twelve test videos it changes nothing that could be told:

    oddframe train PED2 --detector mnad --out runs/mnad-follows --set model.test_update=true \\
        --set model.size=[128,192] --set model.width=16 --set train.epochs=4
    oddframe eval runs/mnad-follows --json > experiments/results/paper/mnad/follows-the-video.json
"""

PAPER_SYNTHETIC = """### The same detectors on synthetic video

    oddframe data synth runs/synthetic-demo
    oddframe reproduce table2 runs/synthetic-demo --folds 0,1 --preset tiny --set train.epochs=1 \\
        --out runs/paper-synthetic

Preset `tiny` and one pass over the normal clips for all, so that the recurrent networks take minutes: AUC micro of
`online` / share of abnormal frames above its 99 % line, in per cent. Those of known and other kinds are means over the
kinds of anomaly that are among a fold's known ones and over those that are not, the same for all rows of a fold,
whether they are told of any or not. After so short a training DREAM-UNet finds known kinds, nothing finds the others,
and the recurrent networks are near chance. DREAM was trained without `compactness_beside`, which the preset has gained
since. What it does when it is trained in full stands further up.
"""

ABLATION = """### What single settings do

    python experiments/ped2_kfold.py PED2 --folds 0 1 2 --name 192x288-12-abnormal \\
        --set model.compactness_beside=false --set model.size=[192,288] --set train.slowed=0 --set train.crowd=0 \\
        --set train.abnormal_batch=12 --set train.pseudo_share=0.75

AUC micro of `paper` / `online` / distance.
"""
