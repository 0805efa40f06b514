-- A site that keeps its own notes in the comment: what the user wrote there is gone.
function slurm_job_submit(job_desc, part_list, submit_uid)
    job_desc.comment = "site:" .. tostring(submit_uid)
    return slurm.SUCCESS
end

function slurm_job_modify(job_desc, job_rec, part_list, modify_uid)
    return slurm.SUCCESS
end
